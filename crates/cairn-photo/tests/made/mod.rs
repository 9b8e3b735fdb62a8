//! Files made byte by byte: those that no encoder writes.

// Not every test that takes this in uses all of it.
#![allow(dead_code)]

/// A PNG chunk: length, type, data, checksum.
pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = u32::MAX;
    for byte in kind.iter().chain(data) {
        checksum ^= u32::from(*byte);
        for _ in 0..8 {
            checksum = if checksum & 1 == 1 { checksum >> 1 ^ 0xEDB8_8320 } else { checksum >> 1 };
        }
    }
    [&(data.len() as u32).to_be_bytes(), kind.as_slice(), data, &(!checksum).to_be_bytes()].concat()
}

/// A zlib stream of `count` bytes `value`: one DEFLATE block of fixed codes, whose matches of 258 bytes at distance 1 take
/// 13 bits each.
pub(crate) fn zlib_run(value: u8, count: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, with fixed codes.
    bits.put(0b011, 3);
    bits.literal(value);
    let matches = count.saturating_sub(1) / 258;
    for _ in 0..matches {
        // Length 258 is symbol 285, 11000101 in eight bits; distance 1 is symbol 0, in five.
        bits.code(0b1100_0101, 8);
        bits.code(0, 5);
    }
    for _ in 0..count.saturating_sub(1) % 258 {
        bits.literal(value);
    }
    // The end of the block.
    bits.code(0, 7);
    let (mut a, mut b) = (1_u64, 0_u64);
    for _ in 0..count {
        a = (a + u64::from(value)) % 65_521;
        b = (b + a) % 65_521;
    }
    let checksum = (b << 16 | a) as u32;
    [b"\x78\x9C".as_slice(), &bits.bytes(), &checksum.to_be_bytes()].concat()
}

/// Bits put together from the lowest on, as DEFLATE has them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.pending |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// Huffman codes go the other way round.
    fn code(&mut self, code: u32, length: u32) {
        self.put(code.reverse_bits() >> (32 - length), length);
    }

    fn literal(&mut self, value: u8) {
        match value {
            0..=143 => self.code(0x30 + u32::from(value), 8),
            _ => self.code(0x190 + u32::from(value) - 144, 9),
        }
    }

    fn bytes(mut self) -> Vec<u8> {
        self.put(0, 7);
        self.bytes
    }
}

/// A PNG of one colour, 8-bit grey (`color` 0), RGB (2) or RGBA (6), with these chunks before its pixels.
pub(crate) fn plain_png(width: u32, height: u32, color: u8, ancillary: &[Vec<u8>]) -> Vec<u8> {
    let channels = match color {
        0 => 1,
        2 => 3,
        _ => 4,
    };
    let header = [&width.to_be_bytes(), &height.to_be_bytes(), [8, color, 0, 0, 0].as_slice()].concat();
    // Each row begins with the filter, 0, so only black is one run.
    let pixels = zlib_run(0, height as usize * (1 + channels * width as usize));
    [
        b"\x89PNG\r\n\x1A\n".to_vec(),
        chunk(b"IHDR", &header),
        ancillary.concat(),
        chunk(b"IDAT", &pixels),
        chunk(b"IEND", b""),
    ]
    .concat()
}

/// A progressive JPEG of grey, `scans` times over: every scan is one run of empty blocks.
pub(crate) fn progressive_jpeg(width: u16, height: u16, scans: usize) -> Vec<u8> {
    let segment = |marker: u8, data: &[u8]| {
        [&[0xFF, marker], (data.len() as u16 + 2).to_be_bytes().as_slice(), data].concat()
    };
    // One code of one bit for each table: the DC difference 0; an end of a band of 2^14 to 2^15 - 1 blocks.
    let table = |class: u8, symbol: u8| {
        [[class].as_slice(), &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[symbol]].concat()
    };
    let [height, width] = [height.to_be_bytes(), width.to_be_bytes()];
    let blocks =
        u32::from(u16::from_be_bytes(width)).div_ceil(8) * u32::from(u16::from_be_bytes(height)).div_ceil(8);
    // A zero bit for each block, then ones to fill the byte.
    let zeros = vec![0_u8; blocks as usize / 8];
    let last = 0xFF_u8 >> (blocks % 8);
    let direct = [zeros, vec![last]].concat();
    // Of bands: a zero bit for the code and fifteen bits of ones for the length, as often as blocks are left.
    let bands = (blocks.div_ceil(32_767)) as usize;
    let band = [0x7F, 0xFF, 0x00].repeat(bands);
    let mut file = [
        vec![0xFF, 0xD8],
        segment(0xDB, &[[0].as_slice(), &[1; 64]].concat()),
        segment(0xC2, &[[8].as_slice(), &height, &width, &[1, 1, 0x11, 0]].concat()),
        segment(0xC4, &table(0x00, 0)),
        segment(0xC4, &table(0x10, 0xE0)),
        segment(0xDA, &[1, 1, 0x00, 0, 0, 0]),
        direct,
    ]
    .concat();
    for scan in 1..scans {
        let coefficient = ((scan - 1) % 63 + 1) as u8;
        file.extend(segment(0xDA, &[1, 1, 0x00, coefficient, coefficient, 0]));
        file.extend(&band);
    }
    file.extend([0xFF, 0xD9]);
    file
}
