//! Plain loops, compiled once for every instruction set.

/// Defines a function that takes the [`Isa`](crate::Isa) as its first argument and runs its body compiled for it.
///
/// The body is ordinary Rust that the compiler turns into vector code; it is inlined into one wrapper for each
/// instruction set. That is all that loops bound by memory need: batch norm, pooling, activations, optimisers.
/// Nothing here contracts `a * b + c` into one rounding, so all sets give the same bits.
macro_rules! vectorised {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident $(<$($generic:ident: $bound:path),+>)? ($($argument:ident: $type:ty),* $(,)?)
        $(-> $return:ty)? $body:block
    ) => {
        $(#[$attribute])*
        $visibility fn $name $(<$($generic: $bound),+>)? (isa: $crate::Isa, $($argument: $type),*) $(-> $return)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $return)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512 $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $return)? {
                body($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2 $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $return)? {
                body($($argument),*)
            }

            isa.require();
            match isa.vectors() {
                // SAFETY: the machine has the set, as just made sure.
                #[cfg(target_arch = "x86_64")]
                $crate::Isa::Avx512Bf16 | $crate::Isa::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: likewise.
                #[cfg(target_arch = "x86_64")]
                $crate::Isa::Avx2 => unsafe { avx2($($argument),*) },
                _ => body($($argument),*),
            }
        }
    };
}
pub(crate) use vectorised;
