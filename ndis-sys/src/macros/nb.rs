//! `NET_BUFFER_*`: the parts of a network buffer.

use crate::*;

place! {
    /// The next buffer of the list.
    NET_BUFFER_NEXT_NB(NET_BUFFER) -> *mut NET_BUFFER, u.s.Next;
    /// The head of the chain of MDLs that maps the data.
    NET_BUFFER_FIRST_MDL(NET_BUFFER) -> *mut MDL, u.s.MdlChain;
    /// How many bytes of data there are.
    NET_BUFFER_DATA_LENGTH(NET_BUFFER) -> ULONG, u.s.u.DataLength;
    /// Where the data begin, in bytes from the start of the MDL chain.
    NET_BUFFER_DATA_OFFSET(NET_BUFFER) -> ULONG, u.s.DataOffset;
    /// The MDL in which the data begin.
    NET_BUFFER_CURRENT_MDL(NET_BUFFER) -> *mut MDL, u.s.CurrentMdl;
    /// Where the data begin, in bytes from the start of that MDL.
    NET_BUFFER_CURRENT_MDL_OFFSET(NET_BUFFER) -> ULONG, u.s.CurrentMdlOffset;
    /// The first of the six words that are a protocol driver's.
    NET_BUFFER_PROTOCOL_RESERVED(NET_BUFFER) -> PVOID, ProtocolReserved;
    /// The first of the four words that are a miniport driver's.
    NET_BUFFER_MINIPORT_RESERVED(NET_BUFFER) -> PVOID, MiniportReserved;
    /// What the partial checksum starts from.
    NET_BUFFER_CHECKSUM_BIAS(NET_BUFFER) -> USHORT, ChecksumBias;
    /// The physical address of the data, where a miniport driver keeps it.
    NET_BUFFER_DATA_PHYSICAL_ADDRESS(NET_BUFFER) -> NDIS_PHYSICAL_ADDRESS, DataPhysicalAddress;
    /// The shared memory that holds the data.
    NET_BUFFER_FIRST_SHARED_MEM_INFO(NET_BUFFER) -> *mut NET_BUFFER_SHARED_MEMORY, u2.SharedMemoryInfo;
    /// The scatter-gather list of the data.
    NET_BUFFER_SCATTER_GATHER_LIST(NET_BUFFER) -> *mut SCATTER_GATHER_LIST, u2.ScatterGatherList;
    /// The next piece of shared memory.
    NET_BUFFER_SHARED_MEM_NEXT_SEGMENT(NET_BUFFER_SHARED_MEMORY) -> PNET_BUFFER_SHARED_MEMORY, NextSharedMemorySegment;
    /// The flags of the piece.
    NET_BUFFER_SHARED_MEM_FLAGS(NET_BUFFER_SHARED_MEMORY) -> ULONG, SharedMemoryFlags;
    /// The handle of the shared memory.
    NET_BUFFER_SHARED_MEM_HANDLE(NET_BUFFER_SHARED_MEMORY) -> NDIS_HANDLE, SharedMemoryHandle;
    /// Where the data begin in the shared memory.
    NET_BUFFER_SHARED_MEM_OFFSET(NET_BUFFER_SHARED_MEMORY) -> ULONG, SharedMemoryOffset;
    /// How long the piece is.
    NET_BUFFER_SHARED_MEM_LENGTH(NET_BUFFER_SHARED_MEMORY) -> ULONG, SharedMemoryLength;
}
