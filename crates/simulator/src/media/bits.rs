//! Bits into bytes, in either order.

/// Lowest bit first, as deflate and WebP have it.
#[derive(Debug, Default)]
pub(super) struct LowFirst {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl LowFirst {
    /// Adds the lowest `count` bits, at most 32.
    pub(super) fn put(&mut self, bits: u32, count: u32) {
        self.pending |= u64::from(bits) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.extend(self.pending.to_le_bytes().first());
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// The bytes, the last one filled up with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.extend(self.pending.to_le_bytes().first());
        }
        self.bytes
    }
}

/// Highest bit first, as JPEG has it.
#[derive(Debug, Default)]
pub(super) struct HighFirst {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl HighFirst {
    /// Adds the lowest `count` bits, at most 16.
    pub(super) fn put(&mut self, bits: u32, count: u32) {
        self.pending = self.pending << count | (bits & ((1 << count) - 1));
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes
                .extend((self.pending >> self.count).to_le_bytes().first());
        }
    }

    /// The bytes, the last one filled up with ones.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0x7f, 8 - self.count);
        }
        self.bytes
    }
}
