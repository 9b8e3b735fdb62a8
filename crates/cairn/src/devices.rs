//! `--device`: what trains.

use cairn_nets::{Device, DeviceError, DeviceName};
use clap::Args;

/// The devices that share the work of a training.
#[derive(Debug, Args)]
pub(crate) struct Devices {
    /// Device: cpu, or a graphics card such as cuda:0 if the program was built for it; several, such as
    /// cuda:0,cuda:1, share every batch
    #[arg(long = "device", value_name = "DEVICE", value_delimiter = ',', default_value = "cpu")]
    names: Vec<DeviceName>,
}

impl Devices {
    /// The processor.
    pub(crate) fn cpu() -> Self {
        Self { names: vec![DeviceName::default()] }
    }

    /// Whether they are graphics cards.
    pub(crate) fn are_cards(&self) -> bool {
        self.names.iter().any(|name| !name.is_cpu())
    }

    /// All of them, the one first that was named first.
    pub(crate) fn open(&self) -> Result<Vec<Device>, DeviceError> {
        DeviceName::open_all(&self.names)
    }
}
