//! A form with one file, written around bytes that are still coming.

use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A line that separates parts and that no file contains by accident: 128 bits by chance.
pub(super) fn boundary() -> String {
    let chance = || RandomState::new().hash_one(());
    format!("1min-relay-{:016x}{:016x}", chance(), chance())
}

/// The head of the one part.
pub(super) struct Part<'p> {
    pub(super) name: &'static str,
    pub(super) file_name: &'p str,
    pub(super) mime: &'p str,
    pub(super) length: Option<u64>,
}

impl Part<'_> {
    /// The form: this part around a file's bytes.
    pub(super) fn into_body<B>(self, boundary: &str, file: B) -> Form<B> {
        let Self {
            name,
            file_name,
            mime,
            ..
        } = self;
        let file_name = file_name.replace('"', "%22");
        let before = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {mime}\r\n\r\n"
        );
        let after = format!("\r\n--{boundary}--\r\n");
        let around = (before.len() + after.len()) as u64;
        Form {
            before: Some(before.into()),
            file: Some(file),
            after: Some(after.into()),
            length: self.length.and_then(|length| length.checked_add(around)),
        }
    }
}

/// What is left to be sent of a form.
pub(super) struct Form<B> {
    before: Option<Bytes>,
    file: Option<B>,
    after: Option<Bytes>,
    length: Option<u64>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Form<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(before) = self.before.take() {
            return Poll::Ready(Some(Ok(Frame::data(before))));
        }
        while let Some(file) = &mut self.file {
            match std::task::ready!(Pin::new(file).poll_frame(cx)) {
                Some(Ok(frame)) if frame.is_trailers() => {}
                Some(frame) => return Poll::Ready(Some(frame)),
                None => self.file = None,
            }
        }
        Poll::Ready(self.after.take().map(|after| Ok(Frame::data(after))))
    }

    fn is_end_stream(&self) -> bool {
        self.after.is_none()
    }

    /// Exact from the beginning if the file's length is known.
    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) if self.before.is_some() => SizeHint::with_exact(length),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body::Body as _;
    use http_body_util::{BodyExt as _, Full};

    use super::{Part, boundary};

    fn part(length: Option<u64>) -> Part<'static> {
        Part {
            name: "asset",
            file_name: "say \"hi\".png",
            mime: "image/png",
            length,
        }
    }

    #[tokio::test]
    async fn a_form_is_its_file_in_a_frame_and_as_long_as_it_says() {
        let form = part(Some(5)).into_body("b", Full::new(Bytes::from_static(b"bytes")));
        let announced = form.size_hint().exact().unwrap();
        let written = form.collect().await.unwrap().to_bytes();
        let expected = "--b\r\nContent-Disposition: form-data; name=\"asset\"; filename=\"say %22hi%22.png\"\r\n\
                        Content-Type: image/png\r\n\r\nbytes\r\n--b--\r\n";
        assert_eq!(written, expected);
        assert_eq!(announced, expected.len() as u64);
    }

    #[test]
    fn a_file_of_unknown_length_is_announced_without_one() {
        let form = part(None).into_body("b", Full::new(Bytes::new()));
        assert_eq!(form.size_hint().exact(), None);
    }

    #[test]
    fn no_two_boundaries_are_the_same() {
        assert_ne!(boundary(), boundary());
    }
}
