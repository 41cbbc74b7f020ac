//! The structures of WAN links as a peer may hand them over: any bytes, in memory that ends where
//! its claim does.

use crate::{input::Input, memory::Exact, show::show};
use ndis_co::{
    tapi::Flat,
    wan::{
        CompressionInfo, Fragment, Info, LinkInfo, LinkParameters, MtuLinkParameters, Statistics,
    },
};

/// Reads one input as each structure.
///
/// # Panics
///
/// When what was read and is written again reads differently.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let most = usize::from(input.byte()) * 16;
    let shift = input.below(8);
    let room = usize::from(input.byte());
    let len = input.below(140);
    let bytes = input.bytes(len);
    let mut memory = Exact::new(shift + len);
    memory.put_bytes(shift, &bytes);
    let bytes = &memory.bytes_mut()[shift..];

    /// Reads, shows, writes and reads again.
    macro_rules! again {
        ($name:ident, $size:literal) => {
            let read = $name::parse(bytes);
            assert_eq!(
                read.is_ok(),
                bytes.len() >= $size,
                "its length alone counts"
            );
            if let Ok(read) = read {
                show(&read, most);
                let mut again = Exact::new(room);
                let written = read.write_to(again.bytes_mut());
                assert_eq!(written.is_ok(), room >= $size, "the room alone counts");
                if written.is_ok() {
                    let reread = $name::parse(again.bytes_mut()).expect("long enough");
                    let mut last = [0; $size];
                    assert_eq!(reread.write_to(&mut last), Ok($size));
                    assert_eq!(&last[..], &again.bytes_mut()[..$size]);
                }
            }
        };
    }
    again!(Info, 16);
    again!(LinkInfo, 32);
    again!(CompressionInfo, 104);
    again!(Statistics, 116);
    again!(LinkParameters, 12);
    again!(MtuLinkParameters, 20);
    again!(Fragment, 4);

    if let Ok(counters) = Statistics::parse_answer(bytes) {
        let mut answer = Exact::new(room);
        let written = counters.answer(answer.bytes_mut());
        assert_eq!(written.is_ok(), room >= 56, "the counters of the page fit");
        if let Ok(len) = written {
            let read = Statistics::parse_answer(&answer.bytes_mut()[..len]).expect("enough");
            assert_eq!(read.received_compressed, counters.received_compressed);
        }
    }
    if let (Ok(info), Ok(link)) = (Info::parse(bytes), LinkInfo::parse(bytes)) {
        let reported = LinkInfo::undetected(info.max_frame_size);
        let fits = link.max_send_frame_size.max(link.max_receive_frame_size) <= info.max_frame_size
            && link.send_framing.goes_with(link.receive_framing);
        assert!(
            fits || link.check(&info, &reported).is_err(),
            "what does not fit"
        );
    }
}
