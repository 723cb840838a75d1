//! Forms with files, well made and not, and what goes into them.

use bytes::Bytes;

use crate::rig::{Answer, Rig};
use http::Method;

pub(crate) const FORM: &str = "multipart/form-data; boundary=BOUNDARY";

/// A form, part by part.
#[derive(Default, Clone)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.raw(format!("name=\"{name}\"").as_bytes(), value.as_bytes())
    }

    pub(crate) fn file(self, field: &str, name: &str, bytes: &[u8]) -> Self {
        let disposition = format!("name=\"{field}\"; filename=\"{name}\"");
        self.raw(disposition.as_bytes(), bytes)
    }

    /// A file whose part says that it is a PNG image.
    pub(crate) fn png(self, field: &str, name: &str, bytes: &[u8]) -> Self {
        let disposition = format!("name=\"{field}\"; filename=\"{name}\"");
        self.part(disposition.as_bytes(), b"image/png", bytes)
    }

    /// A part with this in its `Content-Disposition`.
    pub(crate) fn raw(self, disposition: &[u8], bytes: &[u8]) -> Self {
        self.part(disposition, b"application/octet-stream", bytes)
    }

    /// A part with this in its `Content-Disposition`, of this type.
    pub(crate) fn typed(self, disposition: &str, content_type: &str, bytes: &[u8]) -> Self {
        self.part(disposition.as_bytes(), content_type.as_bytes(), bytes)
    }

    /// A part with this in its `Content-Disposition` and no type.
    pub(crate) fn untyped(self, disposition: &str, bytes: &[u8]) -> Self {
        self.headed(disposition.as_bytes(), bytes)
    }

    fn part(self, disposition: &[u8], content_type: &[u8], bytes: &[u8]) -> Self {
        let headers = [disposition, b"\r\nContent-Type: ", content_type].concat();
        self.headed(&headers, bytes)
    }

    fn headed(mut self, headers: &[u8], bytes: &[u8]) -> Self {
        let parts: [&[u8]; 5] = [
            b"--BOUNDARY\r\nContent-Disposition: form-data; ",
            headers,
            b"\r\n\r\n",
            bytes,
            b"\r\n",
        ];
        self.0.extend(parts.concat());
        self
    }

    pub(crate) fn whole(mut self) -> Bytes {
        self.0.extend(b"--BOUNDARY--\r\n");
        self.0.into()
    }

    /// Without its end.
    pub(crate) fn cut(self) -> Bytes {
        self.0.into()
    }
}

impl Rig {
    pub(crate) async fn form(&self, path: &str, form: Form) -> Answer {
        self.typed(path, FORM, form.whole()).await
    }

    /// A request with a body of this type.
    pub(crate) async fn typed(&self, path: &str, kind: &str, body: impl Into<Bytes>) -> Answer {
        let headers = [
            ("authorization", "Bearer key-of-tests"),
            ("content-type", kind),
        ];
        self.send(Method::POST, path, &headers, body).await
    }
}

/// A picture as far as anybody looks at it: its head.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(b"\x08\x02\0\0\0\0\0\0\0");
    bytes
}

/// A picture whose data unfolds to some 160 times its size.
pub(crate) fn bomb(width: u32, height: u32, size: usize) -> Vec<u8> {
    let mut bytes = png(width, height);
    let mut data = vec![0x78, 0x01];
    // A block with fixed codes: a zero, then copies of the 258 bytes before, 13 bits each.
    let mut bits = vec![true, true, false];
    bits.extend([false, false, true, true, false, false, false, false]);
    while data.len() < size {
        bits.extend([true, true, false, false, false, true, false, true]);
        bits.extend([false; 5]);
        for byte in bits.chunks_exact(8) {
            let byte = byte
                .iter()
                .rev()
                .fold(0, |byte, bit| byte << 1 | u8::from(*bit));
            data.push(byte);
        }
        bits.drain(..bits.len() / 8 * 8);
    }
    bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(b"IDAT");
    bytes.extend(data);
    bytes.extend(b"\0\0\0\0\0\0\0\0IEND\0\0\0\0");
    bytes
}

/// Silence of so many bytes.
pub(crate) fn wav(bytes: usize) -> Vec<u8> {
    let length = u32::try_from(bytes).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.resize(file.len() + bytes, 0);
    file
}
