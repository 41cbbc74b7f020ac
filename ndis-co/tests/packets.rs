//! Reading packets that come from elsewhere, in every shape that they can have
//! and in some that they should not.

use crate::chains;

use chains::{Chain, Shape};
use ndis_co::Status;
use ndis_host::Host;

fn shape(mdls: &[usize], offset: u32, len: u32) -> Shape {
    Shape {
        mdls: mdls.to_vec(),
        offset,
        len,
        ..Shape::default()
    }
}

/// What reading the one packet of this shape gives: its data, or an error.
fn packet(shape: Shape) -> Result<Vec<u8>, Status> {
    let _host = Host::builder().build();
    let chain = Chain::new(&[shape]);
    chain.read();
    let view = chain.view().buffers().next().unwrap();
    let mut all = Vec::new();
    for piece in view.segments() {
        all.extend(piece?);
    }
    Ok(all)
}

#[test]
fn data_in_one_piece() {
    assert_eq!(packet(shape(&[4], 1, 3)), Ok(vec![2, 3, 4]));
}

#[test]
fn data_in_several_pieces_with_empty_ones_between() {
    let data = packet(shape(&[2, 0, 3, 0, 0, 4], 1, 6));
    assert_eq!(data, Ok(vec![2, 3, 4, 5, 6, 7]));
}

#[test]
fn data_that_begins_where_its_mdl_ends() {
    assert_eq!(packet(shape(&[2, 3], 2, 2)), Ok(vec![3, 4]));
}

#[test]
fn no_data_needs_no_mdl() {
    assert_eq!(packet(shape(&[], 0, 0)), Ok(vec![]));
    assert_eq!(packet(shape(&[3], 3, 0)), Ok(vec![]));
    assert_eq!(packet(shape(&[3], u32::MAX, 0)), Ok(vec![]));
}

#[test]
fn more_memory_than_data() {
    assert_eq!(packet(shape(&[9, 9], 1, 2)), Ok(vec![2, 3]));
}

#[test]
fn no_mdl_for_data() {
    assert_eq!(packet(shape(&[], 0, 1)), Err(Status::INVALID_DATA));
}

#[test]
fn a_length_that_lies() {
    assert_eq!(packet(shape(&[2, 3], 0, 6)), Err(Status::INVALID_DATA));
    assert_eq!(
        packet(shape(&[2, 3], 0, u32::MAX)),
        Err(Status::INVALID_DATA)
    );
    assert_eq!(packet(shape(&[0, 0], 0, 1)), Err(Status::INVALID_DATA));
}

#[test]
fn an_offset_beyond_its_mdl() {
    assert_eq!(packet(shape(&[2, 9], 3, 1)), Err(Status::INVALID_DATA));
    assert_eq!(
        packet(shape(&[2, 9], u32::MAX, 1)),
        Err(Status::INVALID_DATA)
    );
}

#[test]
fn empty_mdls_in_a_circle_end() {
    for (mdls, to) in [(1, 0), (2, 0), (3, 1), (7, 3), (64, 0), (64, 63)] {
        let circle = Shape {
            circle: Some(to),
            ..shape(&vec![0; mdls], 0, 5)
        };
        assert_eq!(packet(circle), Err(Status::INVALID_DATA), "{mdls}, {to}");
    }
    // Behind some data, too.
    let circle = Shape {
        circle: Some(1),
        ..shape(&[4, 0, 0], 0, 5)
    };
    assert_eq!(packet(circle), Err(Status::INVALID_DATA));
}

/// C cannot tell such a chain from a long one. What it says is read.
#[test]
fn mdls_with_data_in_a_circle_are_read_until_the_length_is_reached() {
    let circle = Shape {
        circle: Some(0),
        ..shape(&[2, 0], 0, 5)
    };
    assert_eq!(packet(circle), Ok(vec![1, 2, 1, 2, 1]));
}

#[test]
fn packets_of_a_list_stay_apart() {
    let _host = Host::builder().build();
    let chain = Chain::new(&[
        shape(&[8], 0, 8),
        shape(&[1, 2], 0, 3),
        shape(&[], 0, 0),
        shape(&[2], 0, 3),
    ]);
    chain.read();
    let lengths = chain.view().into_iter().map(|packet| packet.len());
    assert_eq!(lengths.collect::<Vec<_>>(), [8, 3, 0, 3]);
    assert_eq!(chain.view().total_len(), 14);
    assert!(Chain::new(&[]).view().buffers().next().is_none());
}

/// Any shape at all.
#[test]
fn random_shapes() {
    let _host = Host::builder().build();
    let mut state = 1_u64;
    let mut byte = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for _ in 0..if cfg!(miri) { 20 } else { 4_000 } {
        let bytes: Vec<u8> = (0..48).map(|_| byte()).collect();
        Chain::from_bytes(&bytes).read();
    }
}
