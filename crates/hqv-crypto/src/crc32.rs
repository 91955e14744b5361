//! CRC-32 as in IEEE 802.3 and gzip: against slips of the hand, not of intent.
//!
//! Our own, because the inputs are some fifty bytes: a library would first ask the processor what it can do, which
//! under a hypervisor costs a short command more time than all of its own work.

/// The reversed polynomial.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// `TABLES[n][b]`: what a byte `b` adds with `n` bytes behind it.
const TABLES: [[u32; 256]; 4] = tables();

const fn tables() -> [[u32; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut table = 0;
        while table < 4 {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
                bit += 1;
            }
            tables[table][byte] = crc;
            table += 1;
        }
        byte += 1;
    }
    tables
}

/// The checksum of the concatenated parts.
pub(crate) fn crc32(parts: &[&[u8]]) -> u32 {
    !parts.iter().fold(u32::MAX, |crc, part| update(crc, part))
}

fn update(mut crc: u32, bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let [a, b, c, d] = (crc ^ u32::from_le_bytes(*word)).to_le_bytes();
        crc = at(3, a) ^ at(2, b) ^ at(1, c) ^ at(0, d);
    }
    rest.iter().fold(crc, |crc, byte| crc >> 8 ^ at(0, crc as u8 ^ byte))
}

fn at(table: usize, byte: u8) -> u32 {
    TABLES[table][usize::from(byte)]
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
        /// Bit by bit, as the definition has it.
        #[test]
        fn words_and_bytes_give_the_same(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40), cut in 0usize..40) {
            let slow = !bytes.iter().fold(u32::MAX, |crc, byte| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 })
            });
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            proptest::prop_assert_eq!(crc32(&[&bytes]), slow);
            proptest::prop_assert_eq!(crc32(&[left, right]), slow);
        }
    }
}
