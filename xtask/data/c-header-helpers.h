/* Helpers. */

/* Bit-fields are bytes with numbered bits, e.g.
   CONDIS_GET_BITS(header.HeaderX64.Depth_bits, SLIST_HEADER_HeaderX64_Depth). */
#define CONDIS_GET_BITS(unit, field) CondisGetBits((unit), field##_BIT, field##_WIDTH)
#define CONDIS_SET_BITS(unit, field, value) \
    CondisSetBits((unit), field##_BIT, field##_WIDTH, (value))

static inline uint64_t CondisGetBits(const uint8_t *unit, unsigned bit, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)(unit[(bit + i) / 8] >> (bit + i) % 8 & 1) << i;
    return value;
}

static inline void CondisSetBits(uint8_t *unit, unsigned bit, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        const uint8_t mask = (uint8_t)(1u << (bit + i) % 8);
        uint8_t *byte = &unit[(bit + i) / 8];
        *byte = (uint8_t)(value >> i & 1 ? *byte | mask : *byte & ~mask);
    }
}

static inline int NT_SUCCESS(NTSTATUS status)
{
    return status >= 0;
}

static inline void NdisAllocateSpinLock(PNDIS_SPIN_LOCK lock)
{
    lock->SpinLock = 0;
}

static inline void NdisFreeSpinLock(PNDIS_SPIN_LOCK lock)
{
    (void)lock;
}

/* On x86 these are functions of ndis.sys. */
#if !(defined(__i386__) || defined(_M_IX86))
static inline void NdisAcquireSpinLock(PNDIS_SPIN_LOCK lock)
{
    lock->OldIrql = KeAcquireSpinLockRaiseToDpc(&lock->SpinLock);
}

static inline void NdisReleaseSpinLock(PNDIS_SPIN_LOCK lock)
{
    KeReleaseSpinLock(&lock->SpinLock, lock->OldIrql);
}

static inline void NdisDprAcquireSpinLock(PNDIS_SPIN_LOCK lock)
{
    KeAcquireSpinLockAtDpcLevel(&lock->SpinLock);
}

static inline void NdisDprReleaseSpinLock(PNDIS_SPIN_LOCK lock)
{
    KeReleaseSpinLockFromDpcLevel(&lock->SpinLock);
}
#endif

static inline ULONG MmGetMdlByteCount(const MDL *mdl)
{
    return mdl->ByteCount;
}

static inline PVOID MmGetMdlVirtualAddress(const MDL *mdl)
{
    return (uint8_t *)mdl->StartVa + mdl->ByteOffset;
}

/* The system address of the memory; NULL if it is not mapped and cannot be. */
static inline PVOID MmGetSystemAddressForMdlSafe(PMDL mdl, ULONG priority)
{
    if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
        return mdl->MappedSystemVa;
    return MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, priority);
}
