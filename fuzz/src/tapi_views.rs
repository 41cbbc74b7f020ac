//! The structures of TAPI as a peer may hand them over: any bytes, or honest ones of which a few
//! words lie, in memory that ends where its claim does.

use crate::{input::Input, memory::Exact, show::show};
use ndis_co::tapi::{
    AddressCaps, BearerModes, CallDiagnostics, CallInfo, CallParams, CmCaps, Flat, IncomingCall,
    LineAddressCaps, LineCaps, LineDevCaps, MakeCall, MediaModes, StringFormat, Text,
    TranslateCallInfo, TranslateCallParams, TranslateSap,
};

/// Reads one input as a structure and looks at it in every way.
///
/// # Panics
///
/// When what was read and is written again reads differently.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.below(12);
    let most = usize::from(input.byte()) * 16;
    let shift = input.below(8);
    let mut bytes = if input.flag() {
        honest(kind, &mut input)
    } else {
        let len = usize::from(input.byte()) * 3;
        input.bytes(len)
    };
    lie(&mut bytes, &mut input);
    // At any alignment, and nothing behind it.
    let mut memory = Exact::new(shift + bytes.len());
    memory.put_bytes(shift, &bytes);
    let bytes = &memory.bytes_mut()[shift..];
    look(kind, bytes, most);
    strings(bytes, input.word(), most);
}

/// The bytes of a structure.
fn written(structure: &impl Flat) -> Vec<u8> {
    let mut room = vec![0; structure.size()];
    match structure.write_to(&mut room) {
        Ok(len) => assert_eq!(len, room.len(), "what it takes"),
        // A part that is too long for a descriptor.
        Err(_) => room.clear(),
    }
    room
}

/// An honest structure, with parts of the input.
fn honest(kind: usize, input: &mut Input<'_>) -> Vec<u8> {
    let parts: [Vec<u8>; 3] = std::array::from_fn(|_| {
        let len = input.below(40);
        input.bytes(len)
    });
    let [one, two, three] = &parts;
    let params = CallParams {
        bearer_mode: BearerModes::from_bits_retain(input.word()),
        media_mode: MediaModes::from_bits_retain(input.word()),
        max_rate: input.word(),
        comment: one,
        called_party: two,
        calling_party: three,
        ..CallParams::default()
    };
    let info = CallInfo {
        line: input.word(),
        address: input.word(),
        caller: one,
        caller_name: two,
        receiving_flow: three,
        ..CallInfo::default()
    };
    let device = LineDevCaps {
        permanent_guid: [input.byte(); 16],
        line_name: one,
        provider_info: two,
        device_classes: three,
        ..LineDevCaps::data(1, input.word())
    };
    let caps = LineAddressCaps {
        address: one,
        treatments: two,
        device_classes: three,
        ..LineAddressCaps::data(input.word())
    };
    let (line, address, flag) = (info.line, info.address, input.flag());
    let params_or_none = (!flag).then_some(params);
    match kind {
        0 => written(&params),
        1 => written(&info),
        2 => written(&device),
        3 => written(&caps),
        4 => written(&LineCaps {
            line,
            per_address: flag,
            device,
        }),
        5 => written(&AddressCaps {
            line,
            address,
            caps,
        }),
        6 => written(&MakeCall {
            line,
            address,
            default_params: flag,
            destination: one,
            params: params_or_none,
        }),
        7 => written(&IncomingCall { info }),
        8 => written(&CallDiagnostics {
            info: one,
            ..CallDiagnostics::default()
        }),
        9 => written(&TranslateCallParams {
            line,
            address,
            default_params: flag,
            destination: one,
            params: params_or_none,
            room: input.byte().into(),
        }),
        10 => written(&TranslateCallInfo {
            call_parameters: one,
            room: input.byte().into(),
        }),
        _ => written(&CmCaps {
            per_line: flag,
            ..CmCaps::new(line)
        }),
    }
}

/// Changes a few words, and cuts off an end.
fn lie(bytes: &mut Vec<u8>, input: &mut Input<'_>) {
    for _ in 0..input.below(5) {
        let (at, word) = (usize::from(input.byte()) * 2, input.word());
        let word = match input.byte() {
            0..=99 => word % 1024,
            100..=149 => u32::MAX - word % 1024,
            _ => word,
        };
        if let Some(place) = bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
    }
    let cut = usize::from(input.byte());
    if cut >= 128 {
        bytes.truncate(bytes.len().saturating_sub(cut - 127));
    }
}

/// Reads, shows, writes and reads again.
macro_rules! again {
    ($name:ident, $bytes:expr, $most:expr) => {
        if let Ok(read) = $name::parse($bytes) {
            show(&read, $most);
            let bytes = written(&read);
            // Only parts that share bytes can be longer together than a descriptor can say.
            if !bytes.is_empty() {
                let again = $name::parse(&bytes).expect("what was written is honest");
                assert_eq!(written(&again), bytes, "what was written is the same");
            }
        }
    };
}

fn look(kind: usize, bytes: &[u8], most: usize) {
    match kind {
        0 => again!(CallParams, bytes, most),
        1 => again!(CallInfo, bytes, most),
        2 => again!(LineDevCaps, bytes, most),
        3 => again!(LineAddressCaps, bytes, most),
        4 => again!(LineCaps, bytes, most),
        5 => again!(AddressCaps, bytes, most),
        6 => again!(MakeCall, bytes, most),
        7 => again!(IncomingCall, bytes, most),
        8 => again!(CallDiagnostics, bytes, most),
        9 => again!(TranslateCallParams, bytes, most),
        10 => again!(TranslateCallInfo, bytes, most),
        _ => again!(CmCaps, bytes, most),
    }
    let _ = LineDevCaps::sizes(bytes);
    let _ = LineCaps::asked(bytes);
    let _ = AddressCaps::asked(bytes);
    answers(bytes, most);
}

/// The answers to translations, written where a query says, and read.
fn answers(bytes: &[u8], most: usize) {
    if let Ok(answer) = TranslateCallParams::parse_answer(bytes) {
        show(&answer, most);
    }
    if let Ok(answer) = TranslateCallInfo::parse_answer(bytes) {
        show(&answer, most);
    }
    if let Ok(saps) = TranslateSap::parse_answer(bytes) {
        let honest = saps.flatten().map(|(_, bytes)| bytes.len());
        assert!(
            honest.take(64).all(|len| len <= bytes.len()),
            "a SAP is inside"
        );
    }
    let mut query = bytes.to_vec();
    if TranslateCallParams::answer(&mut query, b"answer").is_ok() {
        let read = TranslateCallParams::parse_answer(&query);
        assert_eq!(read, Ok(&b"answer"[..]));
    }
    let mut query = bytes.to_vec();
    let info = CallInfo::default();
    if TranslateCallInfo::answer(&mut query, &info).is_ok() {
        assert_eq!(TranslateCallInfo::parse_answer(&query), Ok(info));
    }
}

/// Any bytes as text.
fn strings(bytes: &[u8], format: u32, most: usize) {
    for text in [
        Text::new(StringFormat(format % 6), bytes),
        Text::new(StringFormat::UNICODE, bytes),
        Text::guess(bytes),
    ] {
        show(&text, most);
        assert!(text.chars().count() <= bytes.len());
        if let Some(ascii) = text.ascii() {
            assert!(text.is(ascii), "its own name");
        }
        let list: usize = text.strings().map(|it| it.bytes().len()).sum();
        assert!(list <= bytes.len());
    }
}
