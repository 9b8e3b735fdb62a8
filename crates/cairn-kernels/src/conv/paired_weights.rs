//! Weights of depthwise convolutions for dot products of pairs of bf16.

use half::bf16;

use crate::aligned::Word;
use crate::element::Element;
use crate::isa::Isa;

/// Channels of a vector.
pub(crate) const CHANNELS: usize = 32;

/// Whether the set computes depthwise convolutions of maps of this type by dot products of pairs.
pub(crate) fn serves<T: Element>(isa: Isa) -> bool {
    T::PER_WORD == 2 && isa.vectors() == Isa::Avx512Bf16
}

/// How many words the packed weights of a layer have.
pub(crate) fn packed_len(channels: usize, taps: usize) -> usize {
    taps * channels.next_multiple_of(CHANNELS)
}

/// Packs `weights`, `[channels, taps]`: for every tap and 32 channels, a word for each even channel and then one for each odd,
/// with the weight in the half of the word in which a map has the channel, and zero in the other. Channels that are not
/// there have zeros.
pub(crate) fn pack(weights: &[f32], channels: usize, taps: usize, packed: &mut [Word]) {
    let tap_words = packed_len(channels, 1);
    for (tap, words) in packed.chunks_exact_mut(tap_words).enumerate() {
        words.fill(0);
        for channel in 0..channels {
            let (first, place) = (channel / CHANNELS * CHANNELS, channel % CHANNELS);
            let (pair, half) = (place / 2, place % 2);
            let weight = <bf16 as Element>::from_f32(weights[channel * taps + tap]);
            words[first + half * CHANNELS / 2 + pair] = Word::from(weight.to_bits()) << (16 * half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_in_the_half_that_meets_its_channel_and_the_other_half_is_zero() {
        let (channels, taps) = (35, 2);
        // Small integers are exact in bf16.
        let weights: Vec<f32> = (0..channels * taps).map(|at| 1.0 + at as f32).collect();
        let mut packed = vec![1; packed_len(channels, taps)];
        pack(&weights, channels, taps, &mut packed);
        let value = |half: u16| bf16::from_bits(half).to_f32();
        for tap in 0..taps {
            let words = &packed[tap * 64..][..64];
            let mut met = vec![0.0; 64];
            for (at, word) in words.iter().enumerate() {
                let (first, place) = (at / 32 * 32, at % 32);
                let pair = first + place % 16 * 2;
                let [low, high] = [value(*word as u16), value((word >> 16) as u16)];
                // What an even or odd sum gets of the pair's two channels.
                assert_eq!(if place < 16 { high } else { low }, 0.0);
                met[pair + place / 16] = low + high;
            }
            for (channel, met) in met.into_iter().enumerate() {
                let expected = if channel < channels { weights[channel * taps + tap] } else { 0.0 };
                assert_eq!(met, expected, "tap {tap}, channel {channel}");
            }
        }
    }
}
