//! Parameters and gradients as plain numbers, for the kernels that take slices.

use burn::tensor::Tensor;

/// The tensor after `change` to its numbers, in place if nothing else holds them.
pub(crate) fn changed<const D: usize>(tensor: Tensor<D>, change: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let device = tensor.device();
    let mut data = tensor.into_data();
    // Every network's parameters are of f32, and so are their gradients.
    change(data.as_mut_slice().expect("numbers of f32"));
    Tensor::from_data(data, &device)
}

/// The result of `read` on the tensor's numbers.
pub(crate) fn of<const D: usize, R>(tensor: Tensor<D>, read: impl FnOnce(&[f32]) -> R) -> R {
    // As above.
    read(tensor.into_data().as_slice().expect("numbers of f32"))
}
