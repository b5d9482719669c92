//! An answer's body: up to three pieces, which go out one behind the other in one write, each from where it lies. An
//! enriched bid request is the caller's own bytes around what was put between them: they are not copied.

use bytes::{Buf, Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes in up to three pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pieces([Bytes; 3]);

impl Pieces {
    /// One behind the other.
    pub fn new(pieces: [Bytes; 3]) -> Self {
        Pieces(pieces)
    }

    /// All of them as one piece.
    pub fn whole(self) -> Bytes {
        match self.0 {
            [whole, middle, last] if middle.is_empty() && last.is_empty() => whole,
            pieces => {
                let mut whole = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
                pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
                whole.freeze()
            }
        }
    }
}

impl From<Bytes> for Pieces {
    fn from(whole: Bytes) -> Self {
        Pieces([whole, Bytes::new(), Bytes::new()])
    }
}

impl From<Vec<u8>> for Pieces {
    fn from(whole: Vec<u8>) -> Self {
        Bytes::from(whole).into()
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0.iter().find(|piece| !piece.is_empty()).map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.0.iter().filter(|piece| !piece.is_empty());
        slices.iter_mut().zip(pieces).map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut count: usize) {
        for piece in &mut self.0 {
            let here = count.min(piece.len());
            piece.advance(here);
            count -= here;
        }
        assert_eq!(count, 0, "no more can be taken than there is");
    }
}

/// A body that is there at once.
#[derive(Debug, Default)]
pub(super) struct Ready(Pieces);

impl<P: Into<Pieces>> From<P> for Ready {
    fn from(pieces: P) -> Self {
        Ready(pieces.into())
    }
}

impl Body for Ready {
    type Data = Pieces;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Pieces>, Infallible>>> {
        let pieces = std::mem::take(&mut self.0);
        Poll::Ready(pieces.has_remaining().then(|| Ok(Frame::data(pieces))))
    }

    fn is_end_stream(&self) -> bool {
        !self.0.has_remaining()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.remaining() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_read_as_the_whole_is(parts in prop::array::uniform3("[a-z]{0,9}"), step in 1_usize..9, room in 1_usize..4) {
            let mut pieces = Pieces::new(parts.clone().map(Bytes::from));
            let mut whole = Bytes::from(parts.concat());
            prop_assert_eq!(pieces.clone().whole(), &whole);
            prop_assert_eq!(Ready::from(pieces.clone()).size_hint().exact(), Some(whole.len() as u64));
            while whole.has_remaining() {
                prop_assert_eq!(pieces.remaining(), whole.remaining());
                let mut slices = [IoSlice::new(&[]); 4];
                let filled = pieces.chunks_vectored(&mut slices[..room]);
                let seen: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect();
                prop_assert!(!seen.is_empty() && whole.starts_with(&seen) && seen.starts_with(pieces.chunk()));
                prop_assert!(room < 3 || seen.len() == whole.len(), "all of it in one write");
                let step = step.min(whole.remaining());
                whole.advance(step);
                pieces.advance(step);
            }
            prop_assert!(!pieces.has_remaining() && Ready::from(pieces).is_end_stream());
        }
    }
}
