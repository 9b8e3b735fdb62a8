//! Whoever needs no tile unit asks the system for none. Alone in its process, whose permissions it reads.

#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
#![allow(unsafe_code)]

mod reference;

use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::{Conv2dOptions, Conv2dShape, Extent, Isa, Padding};
use cairn_reference::{Need, skip};
use half::bf16;
use reference::{random, random_map};

/// The register features that this process may use (`ARCH_GET_XCOMP_PERM`); `None` where the system knows none.
fn permitted() -> Option<u64> {
    const ARCH_GET_XCOMP_PERM: libc::c_ulong = 0x1022;
    let mut features = 0_u64;
    // SAFETY: the system writes 64 bits to the address.
    let result = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_GET_XCOMP_PERM, &raw mut features) };
    (result == 0).then_some(features)
}

/// `XFEATURE_MASK_XTILEDATA`.
const TILES: u64 = 1 << 18;

#[test]
fn the_system_is_asked_for_tile_registers_when_the_first_tile_unit_is_needed() {
    if !Isa::Amx.is_available() {
        skip(Need::Amx, "this machine has no AMX, so nobody would ask for it");
        return;
    }
    let shape = Conv2dShape::new(Conv2dOptions {
        batch: 1,
        map: Extent::square(8),
        inputs: 32,
        outputs: 32,
        kernel: Extent::square(3),
        stride: 1,
        padding: Padding::Each(1),
        groups: 1,
    })
    .unwrap();
    let (input, weights) = (random(shape.input_len(), 1), random(shape.weight_len(), 2));
    for isa in [Isa::Portable, Isa::Avx512Bf16, Isa::Amx] {
        let weights = PackedWeights::<f32>::new(isa, &shape, Direction::Forward, &weights);
        let mut output = vec![0.0; shape.output_len()];
        conv::forward(&shape, &input, &weights, Epilogue::default(), &mut output);
    }
    assert_eq!(permitted().map(|features| features & TILES), Some(0), "maps of f32 need no tiles");
    let input = random_map::<bf16>(shape.input_len(), 1);
    let weights = PackedWeights::<bf16>::new(Isa::Amx, &shape, Direction::Forward, &weights);
    let mut output = vec![bf16::ZERO; shape.output_len()];
    conv::forward(&shape, &input, &weights, Epilogue::default(), &mut output);
    assert_eq!(permitted().map(|features| features & TILES), Some(TILES), "maps of bf16 do");
}
