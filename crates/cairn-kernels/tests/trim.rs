//! Memory that the kernels keep goes back to the system when it is asked for. Alone in its process, whose memory it
//! measures.

mod reference;

use cairn_kernels::conv;
use cairn_kernels::{Conv2dOptions, Conv2dShape, Extent, Isa, Padding, layers, trim};
use cairn_reference::{Need, skip};
use reference::random;

const MIB: usize = 1 << 20;

/// Bytes of this process that are in memory, where the system tells.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? * 1024)
}

/// A few megabytes of scratch buffers in every thread.
fn fill_scratch() {
    let shape = Conv2dShape::new(Conv2dOptions {
        batch: 8,
        map: Extent::square(28),
        inputs: 128,
        outputs: 128,
        kernel: Extent::square(3),
        stride: 1,
        padding: Padding::Each(1),
        groups: 1,
    })
    .expect("a layer that can be");
    let (input, output_gradient) = (random(shape.input_len(), 1), random(shape.output_len(), 2));
    let mut gradient = vec![0.0; shape.weight_len()];
    conv::weight_gradient(Isa::best(), &shape, &input, &output_gradient, &mut gradient);
}

#[test]
fn trimming_gives_memory_back_to_the_system_and_leaves_maps_alone() {
    if resident().is_none() {
        skip(Need::MemoryFigures, "this system does not say how much memory a process uses");
        return;
    }
    let resident = || resident().unwrap();
    let device = burn::tensor::Device::flex();
    let values = random(16 * MIB, 3);
    let kept = layers::images(&values[..3 * 64 * 64], [1, 3, 64, 64], &device);
    fill_scratch();
    trim();

    let before = resident();
    let map = layers::images(&values, [1, 1, 4096, 4096], &device);
    drop(map);
    let maps = resident();
    assert!(maps > before + 60 * MIB, "64 MiB of maps are kept: {before} bytes, then {maps}");
    trim();
    let after = resident();
    assert!(after < before + 4 * MIB, "{before} bytes before a map of 64 MiB, {after} after");

    fill_scratch();
    let scratch = resident();
    assert!(scratch > after + 4 * MIB, "scratch buffers are kept: {after} bytes, then {scratch}");
    trim();
    let last = resident();
    assert!(last < after + 2 * MIB, "{after} bytes before the scratch buffers, {last} after");

    let pixels = kept.into_data().try_to_vec::<f32>().unwrap();
    assert_eq!(pixels, values[..3 * 64 * 64]);
}
