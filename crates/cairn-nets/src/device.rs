//! Where a network computes.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
#[cfg(feature = "cube")]
use burn::tensor::DeviceType;

/// A device by name: `cpu`, or the interface to graphics cards and which of the cards, `cuda:0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceName {
    interface: Interface,
    /// Which of the cards that the interface lists.
    card: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Interface {
    #[default]
    Cpu,
    Cuda,
    Rocm,
    Wgpu,
    Metal,
}

/// Why there is no such device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// No name of one.
    #[error(
        "`{0}` is not a device; use cpu, cuda, rocm, wgpu or metal, with the number of a card as in cuda:0"
    )]
    Unknown(String),
    /// The program lacks the interface.
    #[error("this program was built without {interface}: build it with `--features {interface}`")]
    NotBuilt {
        /// Which.
        interface: &'static str,
    },
    /// A device is named twice.
    #[error("{0} is named twice; name each device once")]
    Twice(DeviceName),
    /// Devices of two interfaces are to work together.
    #[error("{0} and {1} cannot train together; name devices of one interface")]
    Mixed(DeviceName, DeviceName),
    /// There is no such card, or no driver for it.
    #[error("{device}: no such card; {interface} finds {found} here")]
    NotThere {
        /// What was asked for.
        device: DeviceName,
        /// Through which interface.
        interface: &'static str,
        /// How many cards there are.
        found: usize,
    },
}

impl Interface {
    const ALL: [Self; 5] = [Self::Cpu, Self::Cuda, Self::Rocm, Self::Wgpu, Self::Metal];

    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
            Self::Wgpu => "wgpu",
            Self::Metal => "metal",
        }
    }

    /// What Burn calls it, where this program was built with it.
    #[cfg(feature = "cube")]
    fn device_type(self) -> Option<DeviceType> {
        match self {
            #[cfg(feature = "cuda")]
            Self::Cuda => Some(DeviceType::Cuda),
            #[cfg(feature = "rocm")]
            Self::Rocm => Some(DeviceType::Rocm),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Some(DeviceType::Wgpu),
            #[cfg(feature = "metal")]
            Self::Metal => Some(DeviceType::Metal),
            _ => None,
        }
    }
}

impl DeviceName {
    /// Whether it is the processor.
    pub fn is_cpu(self) -> bool {
        self.interface == Interface::Cpu
    }

    /// The device of this name, without gradients.
    ///
    /// # Errors
    /// When the program was built without the interface, or the machine has no such card.
    pub fn open(self) -> Result<Device, DeviceError> {
        if self.is_cpu() {
            return Ok(Device::flex());
        }
        let cards = self.cards()?;
        let found = cards.len();
        let not_there = DeviceError::NotThere { device: self, interface: self.interface.name(), found };
        cards.into_iter().nth(self.card).ok_or(not_there)
    }

    /// The devices of these names, in their order; see [`open`](Self::open).
    ///
    /// # Errors
    /// When one of them cannot be opened or is there twice, or they are of several interfaces.
    pub fn open_all(names: &[Self]) -> Result<Vec<Device>, DeviceError> {
        for (place, &name) in names.iter().enumerate() {
            if names[..place].contains(&name) {
                return Err(DeviceError::Twice(name));
            }
            if name.interface != names[0].interface {
                return Err(DeviceError::Mixed(names[0], name));
            }
        }
        names.iter().map(|name| name.open()).collect()
    }

    #[cfg(feature = "cube")]
    fn cards(self) -> Result<Vec<Device>, DeviceError> {
        let Some(interface) = self.interface.device_type() else { return Err(self.not_built()) };
        // A driver that is missing is a panic in there, and no card here.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let cards = std::panic::catch_unwind(|| Device::enumerate(interface).into_iter().collect());
        std::panic::set_hook(hook);
        Ok(cards.unwrap_or_default())
    }

    #[cfg(not(feature = "cube"))]
    fn cards(self) -> Result<Vec<Device>, DeviceError> {
        Err(self.not_built())
    }

    fn not_built(self) -> DeviceError {
        DeviceError::NotBuilt { interface: self.interface.name() }
    }
}

impl FromStr for DeviceName {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(text.to_owned());
        let (name, card) = match text.split_once(':') {
            Some((name, card)) => (name, card.parse().map_err(|_| unknown())?),
            None => (text, 0),
        };
        let interface = Interface::ALL.into_iter().find(|interface| interface.name() == name);
        let interface = interface.ok_or_else(unknown)?;
        if interface == Interface::Cpu && text != "cpu" {
            return Err(unknown());
        }
        Ok(Self { interface, card })
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interface {
            Interface::Cpu => f.write_str("cpu"),
            interface => write!(f, "{}:{}", interface.name(), self.card),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_interface_and_perhaps_the_number_of_a_card() {
        for (text, shown) in [
            ("cpu", "cpu"),
            ("cuda", "cuda:0"),
            ("cuda:1", "cuda:1"),
            ("wgpu:0", "wgpu:0"),
            ("metal", "metal:0"),
        ] {
            assert_eq!(text.parse::<DeviceName>().unwrap().to_string(), shown);
        }
        for text in ["", "gpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "CUDA"] {
            let error = text.parse::<DeviceName>().unwrap_err();
            assert_eq!(error, DeviceError::Unknown(text.to_owned()));
        }
    }

    #[test]
    fn a_card_that_is_not_there_or_not_built_for_is_an_error_and_the_processor_is_always_there() {
        assert_eq!(DeviceName::default().open().unwrap(), Device::flex());
        let message = "cuda:99".parse::<DeviceName>().unwrap().open().unwrap_err().to_string();
        let expected = if cfg!(feature = "cuda") { "no such card" } else { "--features cuda" };
        assert!(message.contains(expected), "{message}");
        let cpu = DeviceName::default();
        assert_eq!(DeviceName::open_all(&[cpu]).unwrap(), [Device::flex()]);
        assert_eq!(DeviceName::open_all(&[cpu, cpu]).unwrap_err(), DeviceError::Twice(cpu));
        let card = "wgpu:1".parse().unwrap();
        assert_eq!(DeviceName::open_all(&[cpu, card]).unwrap_err(), DeviceError::Mixed(cpu, card));
    }
}
