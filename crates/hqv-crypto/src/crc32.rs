//! CRC-32 as in IEEE 802.3 and gzip: against slips of the hand, not of intent.
//!
//! Our own, because the inputs are some fifty bytes: a library would first ask the processor what it can do, which
//! under a hypervisor costs a short command more time than all of its own work. Bit by bit, without tables: half a
//! microsecond for a token.

/// The reversed polynomial.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// The checksum of the concatenated parts.
pub(crate) fn crc32(parts: &[&[u8]]) -> u32 {
    !parts.iter().flat_map(|part| part.iter()).fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogues() {
        assert_eq!(crc32(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(crc32(&[]), 0);
        assert_eq!(crc32(&[b"The quick brown fox ", b"jumps over the lazy dog"]), 0x414f_a339);
    }

    proptest::proptest! {
        #[test]
        fn it_does_not_matter_where_the_parts_are_cut(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            cut in 0usize..40,
        ) {
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            proptest::prop_assert_eq!(crc32(&[left, right]), crc32(&[&bytes]));
        }
    }
}
