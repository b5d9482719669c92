//! How gRPC messages become bytes: requests are decoded by prost, answers were encoded before they get here.
//!
//! Concatenated protobuf encodings of one message type are the encoding of their merge, so an answer is put together
//! from pieces that were encoded once a generation. No byte of protobuf is written by hand.

use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType};
use std::marker::PhantomData;
use tonic::Status;
use tonic::codec::{DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

/// A message that is encoded already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded(pub Vec<u8>);

impl prost::Message for Encoded {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.0);
    }

    /// Only answers are of this type, and a server never reads them.
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buf, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// Appends the encoding of a message: what follows in `out` is merged with it.
pub fn append(message: &impl prost::Message, out: &mut Vec<u8>) {
    message.encode_raw(out);
}

/// Appends an encoded message as a field of the message that `out` holds.
pub fn embed(field: u32, encoded: &[u8], out: &mut Vec<u8>) {
    prost::encoding::encode_key(field, WireType::LengthDelimited, out);
    prost::encoding::encode_varint(encoded.len() as u64, out);
    out.extend_from_slice(encoded);
}

/// The codec of our services. It differs from tonic's in one thing: a malformed message is the caller's mistake
/// (`INVALID_ARGUMENT`), not ours (`INTERNAL`).
#[derive(Debug, Clone)]
pub struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Codec(PhantomData)
    }
}

impl<T, U> tonic::codec::Codec for Codec<T, U>
where
    T: prost::Message + Send + 'static,
    U: prost::Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = Reader<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        Reader(PhantomData)
    }
}

/// Decodes requests.
#[derive(Debug)]
pub struct Reader<U>(PhantomData<U>);

impl<U: prost::Message + Default> Decoder for Reader<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let message = U::decode(buf).map_err(|error| {
            Status::invalid_argument(format!("the message is not protobuf of this method's request type: {error}"))
        })?;
        Ok(Some(message))
    }
}
