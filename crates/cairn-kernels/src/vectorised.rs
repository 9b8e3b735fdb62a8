//! Plain loops, compiled once for every instruction set.

/// Defines a function that takes the [`Isa`](crate::Isa) as its first argument and runs its body compiled for it.
///
/// The body is ordinary Rust that the compiler turns into vector code. It is inlined into one wrapper for each
/// instruction set. Loops bound by memory need no more than that: batch norm, pooling, activations, optimisers.
/// Nothing here contracts `a * b + c` into one rounding, so all sets give the same bits.
///
/// An `unsafe fn` becomes an unsafe function with the same contract.
macro_rules! vectorised {
    ($(#[$attribute:meta])* $visibility:vis fn $($rest:tt)*) => {
        $crate::vectorised::vectorised! { @define [] [$(#[$attribute])* $visibility] $($rest)* }
    };
    ($(#[$attribute:meta])* $visibility:vis unsafe fn $($rest:tt)*) => {
        $crate::vectorised::vectorised! { @define [unsafe] [$(#[$attribute])* $visibility] $($rest)* }
    };
    (
        @define [$($unsafe:ident)?] [$(#[$attribute:meta])* $visibility:vis]
        $name:ident $(<$($generic:ident: $bound:path),+>)? ($($argument:ident: $type:ty),* $(,)?)
        $(-> $return:ty)? $body:block
    ) => {
        $(#[$attribute])*
        $visibility $($unsafe)? fn $name $(<$($generic: $bound),+>)? (isa: $crate::Isa, $($argument: $type),*)
        $(-> $return)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            $($unsafe)? fn body $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $return)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            $($unsafe)? fn avx512 $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $return)? {
                // SAFETY: if `body` is unsafe, so is this function, with the same contract.
                #[allow(unused_unsafe)]
                unsafe { body($($argument),*) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            $($unsafe)? fn avx2 $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $return)? {
                // SAFETY: if `body` is unsafe, so is this function, with the same contract.
                #[allow(unused_unsafe)]
                unsafe { body($($argument),*) }
            }

            isa.require();
            match isa.vectors() {
                // SAFETY: `require` made sure that the machine has the set; the contract, if any, is the caller's.
                #[cfg(target_arch = "x86_64")]
                $crate::Isa::Avx512Bf16 | $crate::Isa::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::Isa::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: the contract, if any, is the caller's.
                #[allow(unused_unsafe)]
                _ => unsafe { body($($argument),*) },
            }
        }
    };
}
pub(crate) use vectorised;
