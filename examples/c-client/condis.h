/*
 * Connection-oriented NDIS for C, x64: names and layouts, generated from the Rust crate
 * ndis-sys by `cargo xtask c-header --arch x64`. Do not edit.
 *
 * It needs nothing of a WDK. The names are Microsoft's, so a driver that keeps to them compiles
 * with ndis.h as well.
 */
#ifndef CONDIS_H
#define CONDIS_H

#include <stddef.h>
#include <stdint.h>

#if !(defined(__x86_64__) || defined(_M_X64))
#error "this condis.h is the one for x64"
#endif

/* On Windows the functions are imported; elsewhere whoever links the program provides them. */
#ifdef _WIN32
#define CONDIS_IMPORT __declspec(dllimport)
#else
#define CONDIS_IMPORT
#endif

#if defined(_WIN32) && defined(_M_IX86)
#define NTAPI __stdcall
#define FASTCALL __fastcall
#define CONDIS_CDECL __cdecl
#else
#define NTAPI
#define FASTCALL
#define CONDIS_CDECL
#endif

#ifdef __GNUC__
#define CONDIS_ALIGN(bytes) __attribute__((aligned(bytes)))
#else
#define CONDIS_ALIGN(bytes) __declspec(align(bytes))
#endif

/* Every record by name; those that are not defined below are NDIS's own. */

typedef union _LARGE_INTEGER LARGE_INTEGER;
typedef union _ULARGE_INTEGER ULARGE_INTEGER;
typedef struct _UNICODE_STRING UNICODE_STRING;
typedef struct _LIST_ENTRY LIST_ENTRY;
typedef struct _SINGLE_LIST_ENTRY SINGLE_LIST_ENTRY;
typedef struct _OBJECT_ATTRIBUTES OBJECT_ATTRIBUTES;
typedef struct _GUID GUID;
typedef struct _EPROCESS _EPROCESS;
typedef struct _OBJECT_TYPE _OBJECT_TYPE;
typedef struct _CLIENT_ID CLIENT_ID;
typedef struct _CM_PARTIAL_RESOURCE_LIST CM_PARTIAL_RESOURCE_LIST;
typedef struct _KDPC KDPC;
typedef struct _MDL MDL;
typedef struct _DISPATCHER_HEADER DISPATCHER_HEADER;
typedef struct _KEVENT KEVENT;
typedef struct _FAST_IO_DISPATCH _FAST_IO_DISPATCH;
typedef struct _DRIVER_EXTENSION _DRIVER_EXTENSION;
typedef struct _DRIVER_OBJECT DRIVER_OBJECT;
typedef struct _SCATTER_GATHER_ELEMENT SCATTER_GATHER_ELEMENT;
typedef struct _SCATTER_GATHER_LIST SCATTER_GATHER_LIST;
typedef struct _OBJECT_HANDLE_INFORMATION _OBJECT_HANDLE_INFORMATION;
typedef union _SLIST_HEADER SLIST_HEADER;
typedef struct _KTIMER KTIMER;
typedef struct _DEVICE_OBJECT DEVICE_OBJECT;
typedef struct _IRP IRP;
typedef struct _NET_PNP_EVENT NET_PNP_EVENT;
typedef union _NET_LUID_LH NET_LUID_LH;
typedef struct _NDIS_VAR_DATA_DESC NDIS_VAR_DATA_DESC;
typedef struct _NDIS_OBJECT_HEADER NDIS_OBJECT_HEADER;
typedef struct _NDIS_PCI_DEVICE_CUSTOM_PROPERTIES NDIS_PCI_DEVICE_CUSTOM_PROPERTIES;
typedef struct NDIS_CO_DEVICE_PROFILE NDIS_CO_DEVICE_PROFILE;
typedef struct _NDIS_PM_WAKE_UP_CAPABILITIES NDIS_PM_WAKE_UP_CAPABILITIES;
typedef struct _NDIS_PNP_CAPABILITIES NDIS_PNP_CAPABILITIES;
typedef struct _NDIS_CO_LINK_SPEED NDIS_CO_LINK_SPEED;
typedef struct DOT11_PHY_ATTRIBUTES DOT11_PHY_ATTRIBUTES;
typedef struct DOT11_EXTSTA_ATTRIBUTES DOT11_EXTSTA_ATTRIBUTES;
typedef struct _DOT11_EXTAP_ATTRIBUTES _DOT11_EXTAP_ATTRIBUTES;
typedef struct DOT11_VWIFI_ATTRIBUTES DOT11_VWIFI_ATTRIBUTES;
typedef struct _DOT11_WFD_ATTRIBUTES _DOT11_WFD_ATTRIBUTES;
typedef struct _NDIS_OFFLOAD NDIS_OFFLOAD;
typedef struct _NDIS_TCP_CONNECTION_OFFLOAD NDIS_TCP_CONNECTION_OFFLOAD;
typedef struct _NDIS_PORT_AUTHENTICATION_PARAMETERS NDIS_PORT_AUTHENTICATION_PARAMETERS;
typedef struct _NDIS_HD_SPLIT_CURRENT_CONFIG NDIS_HD_SPLIT_CURRENT_CONFIG;
typedef struct _NDIS_PM_CAPABILITIES NDIS_PM_CAPABILITIES;
typedef struct _NDIS_RECEIVE_FILTER_CAPABILITIES NDIS_RECEIVE_FILTER_CAPABILITIES;
typedef struct _NDIS_NIC_SWITCH_CAPABILITIES NDIS_NIC_SWITCH_CAPABILITIES;
typedef struct _NDIS_RECEIVE_SCALE_CAPABILITIES NDIS_RECEIVE_SCALE_CAPABILITIES;
typedef struct _NDIS_NDK_CAPABILITIES NDIS_NDK_CAPABILITIES;
typedef struct _NDIS_QOS_CAPABILITIES NDIS_QOS_CAPABILITIES;
typedef struct _NDIS_NIC_SWITCH_INFO_ARRAY NDIS_NIC_SWITCH_INFO_ARRAY;
typedef struct _NDIS_SRIOV_CAPABILITIES NDIS_SRIOV_CAPABILITIES;
typedef struct _NDIS_PORT_CHARACTERISTICS NDIS_PORT_CHARACTERISTICS;
typedef struct _NDIS_PORT NDIS_PORT;
typedef struct _NDIS_GFT_OFFLOAD_CAPABILITIES NDIS_GFT_OFFLOAD_CAPABILITIES;
typedef struct _NDIS_SPIN_LOCK NDIS_SPIN_LOCK;
typedef struct _NDIS_EVENT NDIS_EVENT;
typedef struct BINARY_DATA BINARY_DATA;
typedef struct _NDIS_CONFIGURATION_PARAMETER NDIS_CONFIGURATION_PARAMETER;
typedef struct CO_ADDRESS_FAMILY CO_ADDRESS_FAMILY;
typedef struct CO_SAP CO_SAP;
typedef struct _NDIS_CALL_MANAGER_CHARACTERISTICS _NDIS_CALL_MANAGER_CHARACTERISTICS;
typedef struct _NDIS_CONFIGURATION_OBJECT NDIS_CONFIGURATION_OBJECT;
typedef struct _NDIS_DRIVER_OPTIONAL_HANDLERS NDIS_DRIVER_OPTIONAL_HANDLERS;
typedef struct _NET_PNP_EVENT_NOTIFICATION NET_PNP_EVENT_NOTIFICATION;
typedef union _REQUEST_DATA _REQUEST_DATA;
typedef struct _QUERY _QUERY;
typedef struct _SET _SET;
typedef struct _METHOD _METHOD;
typedef struct _NDIS_STATUS_INDICATION NDIS_STATUS_INDICATION;
typedef struct _NDIS_TIMER_CHARACTERISTICS NDIS_TIMER_CHARACTERISTICS;
typedef union _NET_BUFFER_DATA_LENGTH NET_BUFFER_DATA_LENGTH;
typedef struct _NET_BUFFER_DATA NET_BUFFER_DATA;
typedef struct _NET_BUFFER_SHARED_MEMORY NET_BUFFER_SHARED_MEMORY;
typedef struct _NET_BUFFER_LIST_DATA NET_BUFFER_LIST_DATA;
typedef struct _NET_BUFFER_LIST_POOL_PARAMETERS NET_BUFFER_LIST_POOL_PARAMETERS;
typedef struct _NET_BUFFER_POOL_PARAMETERS NET_BUFFER_POOL_PARAMETERS;
typedef struct _NDIS_BIND_PARAMETERS NDIS_BIND_PARAMETERS;
typedef struct _NDIS_PROTOCOL_CO_CHARACTERISTICS NDIS_PROTOCOL_CO_CHARACTERISTICS;
typedef struct _NDIS_PROTOCOL_DRIVER_CHARACTERISTICS NDIS_PROTOCOL_DRIVER_CHARACTERISTICS;
typedef struct _NDIS_OPEN_PARAMETERS NDIS_OPEN_PARAMETERS;
typedef struct _NDIS_MINIPORT_INIT_PARAMETERS NDIS_MINIPORT_INIT_PARAMETERS;
typedef struct _NDIS_MINIPORT_RESTART_PARAMETERS NDIS_MINIPORT_RESTART_PARAMETERS;
typedef struct _NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
typedef struct _NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES;
typedef struct _NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
typedef struct _NDIS_HD_SPLIT_ATTRIBUTES NDIS_HD_SPLIT_ATTRIBUTES;
typedef struct _NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES;
typedef struct _NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES;
typedef struct _NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES;
typedef struct _NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES;
typedef struct _NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES;
typedef union _NDIS_MINIPORT_ADAPTER_ATTRIBUTES NDIS_MINIPORT_ADAPTER_ATTRIBUTES;
typedef struct _NDIS_MINIPORT_PAUSE_PARAMETERS NDIS_MINIPORT_PAUSE_PARAMETERS;
typedef struct _NDIS_MINIPORT_DRIVER_CHARACTERISTICS NDIS_MINIPORT_DRIVER_CHARACTERISTICS;
typedef struct _NDIS_MINIPORT_CO_CHARACTERISTICS NDIS_MINIPORT_CO_CHARACTERISTICS;
typedef struct _NDIS_MSIX_CONFIG_PARAMETERS NDIS_MSIX_CONFIG_PARAMETERS;
typedef struct _CO_ADDRESS CO_ADDRESS;
typedef struct _CO_ADDRESS_LIST CO_ADDRESS_LIST;
typedef struct _flowspec _flowspec;
typedef struct _CO_SPECIFIC_PARAMETERS CO_SPECIFIC_PARAMETERS;
typedef struct _CO_CALL_MANAGER_PARAMETERS CO_CALL_MANAGER_PARAMETERS;
typedef struct _CO_CALL_PARAMETERS CO_CALL_PARAMETERS;
typedef struct _CO_PVC CO_PVC;
typedef struct _VAR_STRING VAR_STRING;
typedef struct _NDIS_CO_CLIENT_OPTIONAL_HANDLERS NDIS_CO_CLIENT_OPTIONAL_HANDLERS;
typedef struct _NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS;
typedef struct _CO_GET_CALL_INFORMATION CO_GET_CALL_INFORMATION;
typedef struct _LINE_ADDRESS_CAPS LINE_ADDRESS_CAPS;
typedef struct _LINE_DIAL_PARAMS LINE_DIAL_PARAMS;
typedef struct _LINE_DEV_CAPS LINE_DEV_CAPS;
typedef struct _CO_TAPI_CM_CAPS CO_TAPI_CM_CAPS;
typedef struct _CO_TAPI_LINE_CAPS CO_TAPI_LINE_CAPS;
typedef struct _CO_TAPI_ADDRESS_CAPS CO_TAPI_ADDRESS_CAPS;
typedef struct _CO_TAPI_TRANSLATE_TAPI_CALLPARAMS CO_TAPI_TRANSLATE_TAPI_CALLPARAMS;
typedef struct _CO_TAPI_TRANSLATE_NDIS_CALLPARAMS CO_TAPI_TRANSLATE_NDIS_CALLPARAMS;
typedef struct _CO_TAPI_TRANSLATE_SAP CO_TAPI_TRANSLATE_SAP;
typedef struct _CO_TAPI_CALL_DIAGNOSTICS CO_TAPI_CALL_DIAGNOSTICS;
typedef struct _CO_AF_TAPI_MAKE_CALL_PARAMETERS CO_AF_TAPI_MAKE_CALL_PARAMETERS;
typedef struct _CO_AF_TAPI_INCOMING_CALL_PARAMETERS CO_AF_TAPI_INCOMING_CALL_PARAMETERS;
typedef struct _CO_AF_TAPI_SAP CO_AF_TAPI_SAP;
typedef struct _WAN_CO_LINKPARAMS WAN_CO_LINKPARAMS;
typedef struct _WAN_CO_MTULINKPARAMS WAN_CO_MTULINKPARAMS;
typedef struct _NDIS_RESTART_ATTRIBUTES NDIS_RESTART_ATTRIBUTES;
typedef struct _NDIS_OID_REQUEST NDIS_OID_REQUEST;
typedef union _NET_BUFFER_HEADER NET_BUFFER_HEADER;
typedef struct _NET_BUFFER NET_BUFFER;
typedef struct _NET_BUFFER_LIST_CONTEXT NET_BUFFER_LIST_CONTEXT;
typedef union _NET_BUFFER_LIST_HEADER NET_BUFFER_LIST_HEADER;
typedef struct _NET_BUFFER_LIST NET_BUFFER_LIST;
typedef struct _NET_DEVICE_PNP_EVENT NET_DEVICE_PNP_EVENT;
typedef struct _CO_MEDIA_PARAMETERS CO_MEDIA_PARAMETERS;

/* Types. */

typedef uint16_t UINT16;
typedef uint32_t UINT32;
typedef uint64_t ULONG64;
typedef void *PVOID;
typedef char CHAR;
typedef int16_t SHORT;
typedef int32_t LONG;
typedef int32_t INT;
typedef uint16_t WCHAR;
typedef WCHAR *PWCH;
typedef const WCHAR *PCWSTR;
typedef CHAR *PCHAR;
typedef const CHAR *PCSTR;
typedef LONG *PLONG;
typedef uint8_t UCHAR;
typedef uint16_t USHORT;
typedef uint32_t ULONG;
typedef UCHAR *PUCHAR;
typedef USHORT *PUSHORT;
typedef ULONG *PULONG;
typedef void *HANDLE;
typedef HANDLE *PHANDLE;
typedef char CCHAR;
typedef int16_t CSHORT;
typedef LONG NTSTATUS;
typedef NTSTATUS *PNTSTATUS;
typedef int64_t LONGLONG;
typedef uint64_t ULONGLONG;
typedef LONGLONG *PLONGLONG;
typedef ULONGLONG *PULONGLONG;
union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
};
typedef LARGE_INTEGER *PLARGE_INTEGER;
union _ULARGE_INTEGER {
    struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    struct {
        ULONG LowPart;
        ULONG HighPart;
    } u;
    ULONGLONG QuadPart;
};
typedef ULARGE_INTEGER *PULARGE_INTEGER;
typedef LARGE_INTEGER PHYSICAL_ADDRESS;
typedef int32_t EVENT_TYPE;
enum {
    NotificationEvent = 0,
    SynchronizationEvent = 1,
};
struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWCH Buffer;
};
typedef UNICODE_STRING *PUNICODE_STRING;
typedef UCHAR BOOLEAN;
typedef BOOLEAN *PBOOLEAN;
struct _LIST_ENTRY {
    LIST_ENTRY *Flink;
    LIST_ENTRY *Blink;
};
typedef LIST_ENTRY *PLIST_ENTRY;
struct _SINGLE_LIST_ENTRY {
    SINGLE_LIST_ENTRY *Next;
};
typedef SINGLE_LIST_ENTRY *PSINGLE_LIST_ENTRY;
struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
};
typedef OBJECT_ATTRIBUTES *POBJECT_ATTRIBUTES;
struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
};
typedef UCHAR KIRQL;
typedef KIRQL *PKIRQL;
typedef _OBJECT_TYPE *POBJECT_TYPE;
typedef LONG KPRIORITY;
typedef uintptr_t ULONG_PTR;
typedef ULONG_PTR KSPIN_LOCK;
typedef KSPIN_LOCK *PKSPIN_LOCK;
typedef ULONG ACCESS_MASK;
struct _CLIENT_ID {
    HANDLE UniqueProcess;
    HANDLE UniqueThread;
};
typedef CLIENT_ID *PCLIENT_ID;
typedef SLIST_HEADER *PSLIST_HEADER;
typedef CCHAR KPROCESSOR_MODE;
typedef int32_t MODE;
enum {
    KernelMode = 0,
    UserMode = 1,
    MaximumMode = 2,
};
typedef ULONG_PTR KAFFINITY;
typedef void (NTAPI KDEFERRED_ROUTINE)(
    KDPC *Dpc,
    PVOID DeferredContext,
    PVOID SystemArgument1,
    PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;
struct _KDPC {
    union {
        ULONG TargetInfoAsUlong;
        struct {
            UCHAR Type;
            UCHAR Importance;
            USHORT Number;
        };
    };
    SINGLE_LIST_ENTRY DpcListEntry;
    KAFFINITY ProcessorHistory;
    PKDEFERRED_ROUTINE DeferredRoutine;
    PVOID DeferredContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    PVOID DpcData;
};
typedef KDPC *PKDPC;
struct _MDL {
    MDL *Next;
    CSHORT Size;
    CSHORT MdlFlags;
    _EPROCESS *Process;
    PVOID MappedSystemVa;
    PVOID StartVa;
    ULONG ByteCount;
    ULONG ByteOffset;
};
typedef MDL *PMDL;
struct _DISPATCHER_HEADER {
    union {
        union {
            LONG Lock;
            LONG LockNV;
        };
        struct {
            UCHAR Type;
            UCHAR Signalling;
            UCHAR Size;
            UCHAR Reserved1;
        };
        struct {
            UCHAR TimerType;
            union {
                UCHAR TimerControlFlags;
                struct {
                    uint8_t Absolute_bits[1];
                };
            };
            UCHAR Hand;
            union {
                UCHAR TimerMiscFlags;
                struct {
                    uint8_t Index_bits[1];
                };
            };
        };
        struct {
            UCHAR Timer2Type;
            union {
                UCHAR Timer2Flags;
                struct {
                    uint8_t Timer2Inserted_bits[1];
                };
            };
            UCHAR Timer2ComponentId;
            UCHAR Timer2RelativeId;
        };
        struct {
            UCHAR QueueType;
            union {
                UCHAR QueueControlFlags;
                struct {
                    uint8_t Abandoned_bits[1];
                };
            };
            UCHAR QueueSize;
            UCHAR QueueReserved;
        };
        struct {
            UCHAR ThreadType;
            UCHAR ThreadReserved;
            union {
                UCHAR ThreadControlFlags;
                struct {
                    uint8_t CycleProfiling_bits[1];
                };
            };
            union {
                UCHAR DebugActive;
                struct {
                    uint8_t ActiveDR7_bits[1];
                };
            };
        };
        struct {
            UCHAR MutantType;
            UCHAR MutantSize;
            BOOLEAN DpcActive;
            UCHAR MutantReserved;
        };
    };
    LONG SignalState;
    LIST_ENTRY WaitListHead;
};
#define DISPATCHER_HEADER_u_s2_u_s_Absolute_BIT 0u
#define DISPATCHER_HEADER_u_s2_u_s_Absolute_WIDTH 1u
#define DISPATCHER_HEADER_u_s2_u_s_Wake_BIT 1u
#define DISPATCHER_HEADER_u_s2_u_s_Wake_WIDTH 1u
#define DISPATCHER_HEADER_u_s2_u_s_EncodedTolerableDelay_BIT 2u
#define DISPATCHER_HEADER_u_s2_u_s_EncodedTolerableDelay_WIDTH 6u
#define DISPATCHER_HEADER_u_s2_u2_s_Index_BIT 0u
#define DISPATCHER_HEADER_u_s2_u2_s_Index_WIDTH 6u
#define DISPATCHER_HEADER_u_s2_u2_s_Inserted_BIT 6u
#define DISPATCHER_HEADER_u_s2_u2_s_Inserted_WIDTH 1u
#define DISPATCHER_HEADER_u_s2_u2_s_Expired_BIT 7u
#define DISPATCHER_HEADER_u_s2_u2_s_Expired_WIDTH 1u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2Inserted_BIT 0u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2Inserted_WIDTH 1u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2Expiring_BIT 1u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2Expiring_WIDTH 1u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2CancelPending_BIT 2u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2CancelPending_WIDTH 1u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2SetPending_BIT 3u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2SetPending_WIDTH 1u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2Running_BIT 4u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2Running_WIDTH 1u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2Disabled_BIT 5u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2Disabled_WIDTH 1u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2ReservedFlags_BIT 6u
#define DISPATCHER_HEADER_u_s3_u_s_Timer2ReservedFlags_WIDTH 2u
#define DISPATCHER_HEADER_u_s4_u_s_Abandoned_BIT 0u
#define DISPATCHER_HEADER_u_s4_u_s_Abandoned_WIDTH 1u
#define DISPATCHER_HEADER_u_s4_u_s_DisableIncrement_BIT 1u
#define DISPATCHER_HEADER_u_s4_u_s_DisableIncrement_WIDTH 1u
#define DISPATCHER_HEADER_u_s4_u_s_QueueReservedControlFlags_BIT 2u
#define DISPATCHER_HEADER_u_s4_u_s_QueueReservedControlFlags_WIDTH 6u
#define DISPATCHER_HEADER_u_s5_u_s_CycleProfiling_BIT 0u
#define DISPATCHER_HEADER_u_s5_u_s_CycleProfiling_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u_s_CounterProfiling_BIT 1u
#define DISPATCHER_HEADER_u_s5_u_s_CounterProfiling_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u_s_GroupScheduling_BIT 2u
#define DISPATCHER_HEADER_u_s5_u_s_GroupScheduling_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u_s_AffinitySet_BIT 3u
#define DISPATCHER_HEADER_u_s5_u_s_AffinitySet_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u_s_Tagged_BIT 4u
#define DISPATCHER_HEADER_u_s5_u_s_Tagged_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u_s_EnergyProfiling_BIT 5u
#define DISPATCHER_HEADER_u_s5_u_s_EnergyProfiling_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u_s_SchedulerAssist_BIT 6u
#define DISPATCHER_HEADER_u_s5_u_s_SchedulerAssist_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u_s_ThreadReservedControlFlags_BIT 7u
#define DISPATCHER_HEADER_u_s5_u_s_ThreadReservedControlFlags_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u2_s_ActiveDR7_BIT 0u
#define DISPATCHER_HEADER_u_s5_u2_s_ActiveDR7_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u2_s_Instrumented_BIT 1u
#define DISPATCHER_HEADER_u_s5_u2_s_Instrumented_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u2_s_Minimal_BIT 2u
#define DISPATCHER_HEADER_u_s5_u2_s_Minimal_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u2_s_Reserved4_BIT 3u
#define DISPATCHER_HEADER_u_s5_u2_s_Reserved4_WIDTH 2u
#define DISPATCHER_HEADER_u_s5_u2_s_AltSyscall_BIT 5u
#define DISPATCHER_HEADER_u_s5_u2_s_AltSyscall_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u2_s_Emulation_BIT 6u
#define DISPATCHER_HEADER_u_s5_u2_s_Emulation_WIDTH 1u
#define DISPATCHER_HEADER_u_s5_u2_s_Reserved5_BIT 7u
#define DISPATCHER_HEADER_u_s5_u2_s_Reserved5_WIDTH 1u
struct _KEVENT {
    DISPATCHER_HEADER Header;
};
typedef KEVENT *PKEVENT;
typedef KEVENT *PRKEVENT;
typedef KTIMER *PKTIMER;
typedef int32_t KWAIT_REASON;
enum {
    Executive = 0,
    FreePage = 1,
    PageIn = 2,
    PoolAllocation = 3,
    DelayExecution = 4,
    Suspended = 5,
    UserRequest = 6,
    WrExecutive = 7,
    WrFreePage = 8,
    WrPageIn = 9,
    WrPoolAllocation = 10,
    WrDelayExecution = 11,
    WrSuspended = 12,
    WrUserRequest = 13,
    WrSpare0 = 14,
    WrQueue = 15,
    WrLpcReceive = 16,
    WrLpcReply = 17,
    WrVirtualMemory = 18,
    WrPageOut = 19,
    WrRendezvous = 20,
    WrKeyedEvent = 21,
    WrTerminated = 22,
    WrProcessInSwap = 23,
    WrCpuRateControl = 24,
    WrCalloutStack = 25,
    WrKernel = 26,
    WrResource = 27,
    WrPushLock = 28,
    WrMutex = 29,
    WrQuantumEnd = 30,
    WrDispatchInt = 31,
    WrPreempted = 32,
    WrYieldExecution = 33,
    WrFastMutex = 34,
    WrGuardedMutex = 35,
    WrRundown = 36,
    WrAlertByThreadId = 37,
    WrDeferredPreempt = 38,
    WrPhysicalFault = 39,
    WrIoRing = 40,
    WrMdlCache = 41,
    MaximumWaitReason = 42,
};
typedef int32_t MEMORY_CACHING_TYPE;
enum {
    MmNonCached = 0,
    MmCached = 1,
    MmWriteCombined = 2,
    MmHardwareCoherentCached = 3,
    MmNonCachedUnordered = 4,
    MmUSWCCached = 5,
    MmMaximumCacheType = 6,
    MmNotMapped = -1,
};
typedef int32_t POOL_TYPE;
enum {
    NonPagedPool = 0,
    NonPagedPoolExecute = 0,
    PagedPool = 1,
    NonPagedPoolMustSucceed = 2,
    DontUseThisType = 3,
    NonPagedPoolCacheAligned = 4,
    PagedPoolCacheAligned = 5,
    NonPagedPoolCacheAlignedMustS = 6,
    MaxPoolType = 7,
    NonPagedPoolBase = 0,
    NonPagedPoolBaseMustSucceed = 2,
    NonPagedPoolBaseCacheAligned = 4,
    NonPagedPoolBaseCacheAlignedMustS = 6,
    NonPagedPoolSession = 32,
    PagedPoolSession = 33,
    NonPagedPoolMustSucceedSession = 34,
    DontUseThisTypeSession = 35,
    NonPagedPoolCacheAlignedSession = 36,
    PagedPoolCacheAlignedSession = 37,
    NonPagedPoolCacheAlignedMustSSession = 38,
    NonPagedPoolNx = 512,
    NonPagedPoolNxCacheAligned = 516,
    NonPagedPoolSessionNx = 544,
};
typedef int32_t EX_POOL_PRIORITY;
enum {
    LowPoolPriority = 0,
    LowPoolPrioritySpecialPoolOverrun = 8,
    LowPoolPrioritySpecialPoolUnderrun = 9,
    NormalPoolPriority = 16,
    NormalPoolPrioritySpecialPoolOverrun = 24,
    NormalPoolPrioritySpecialPoolUnderrun = 25,
    HighPoolPriority = 32,
    HighPoolPrioritySpecialPoolOverrun = 40,
    HighPoolPrioritySpecialPoolUnderrun = 41,
};
typedef int32_t MM_PAGE_PRIORITY;
enum {
    LowPagePriority = 0,
    NormalPagePriority = 16,
    HighPagePriority = 32,
};
typedef _FAST_IO_DISPATCH *PFAST_IO_DISPATCH;
typedef DEVICE_OBJECT *PDEVICE_OBJECT;
typedef _DRIVER_EXTENSION *PDRIVER_EXTENSION;
typedef NTSTATUS (NTAPI DRIVER_INITIALIZE)(
    DRIVER_OBJECT *DriverObject,
    PUNICODE_STRING RegistryPath);
typedef DRIVER_INITIALIZE *PDRIVER_INITIALIZE;
typedef void (NTAPI DRIVER_STARTIO)(DEVICE_OBJECT *DeviceObject, IRP *Irp);
typedef DRIVER_STARTIO *PDRIVER_STARTIO;
typedef void (NTAPI DRIVER_UNLOAD)(DRIVER_OBJECT *DriverObject);
typedef DRIVER_UNLOAD *PDRIVER_UNLOAD;
typedef NTSTATUS (NTAPI DRIVER_DISPATCH)(DEVICE_OBJECT *DeviceObject, IRP *Irp);
typedef DRIVER_DISPATCH *PDRIVER_DISPATCH;
struct _DRIVER_OBJECT {
    CSHORT Type;
    CSHORT Size;
    PDEVICE_OBJECT DeviceObject;
    ULONG Flags;
    PVOID DriverStart;
    ULONG DriverSize;
    PVOID DriverSection;
    PDRIVER_EXTENSION DriverExtension;
    UNICODE_STRING DriverName;
    PUNICODE_STRING HardwareDatabase;
    PFAST_IO_DISPATCH FastIoDispatch;
    PDRIVER_INITIALIZE DriverInit;
    PDRIVER_STARTIO DriverStartIo;
    PDRIVER_UNLOAD DriverUnload;
    PDRIVER_DISPATCH MajorFunction[28];
};
typedef DRIVER_OBJECT *PDRIVER_OBJECT;
typedef IRP *PIRP;
struct _SCATTER_GATHER_ELEMENT {
    PHYSICAL_ADDRESS Address;
    ULONG Length;
    ULONG_PTR Reserved;
};
struct _SCATTER_GATHER_LIST {
    ULONG NumberOfElements;
    ULONG_PTR Reserved;
    SCATTER_GATHER_ELEMENT Elements[];
};
typedef SCATTER_GATHER_LIST *PSCATTER_GATHER_LIST;
struct _OBJECT_HANDLE_INFORMATION {
    ULONG HandleAttributes;
    ACCESS_MASK GrantedAccess;
};
typedef _OBJECT_HANDLE_INFORMATION *POBJECT_HANDLE_INFORMATION;
union CONDIS_ALIGN(16) _SLIST_HEADER {
    struct {
        ULONGLONG Alignment;
        ULONGLONG Region;
    };
    struct {
        CONDIS_ALIGN(8) uint8_t Depth_bits[16];
    } HeaderX64;
};
#define SLIST_HEADER_HeaderX64_Depth_BIT 0u
#define SLIST_HEADER_HeaderX64_Depth_WIDTH 16u
#define SLIST_HEADER_HeaderX64_Sequence_BIT 16u
#define SLIST_HEADER_HeaderX64_Sequence_WIDTH 48u
#define SLIST_HEADER_HeaderX64_Reserved_BIT 64u
#define SLIST_HEADER_HeaderX64_Reserved_WIDTH 4u
#define SLIST_HEADER_HeaderX64_NextEntry_BIT 68u
#define SLIST_HEADER_HeaderX64_NextEntry_WIDTH 60u
struct _KTIMER {
    DISPATCHER_HEADER Header;
    ULARGE_INTEGER DueTime;
    LIST_ENTRY TimerListEntry;
    KDPC *Dpc;
    USHORT Processor;
    USHORT TimerType;
    ULONG Period;
};
typedef intptr_t LONG_PTR;
typedef ULONG_PTR SIZE_T;
typedef KAFFINITY *PKAFFINITY;
typedef void (NTAPI KSTART_ROUTINE)(PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;
typedef int32_t NET_PNP_EVENT_CODE;
enum {
    NetEventSetPower = 0,
    NetEventQueryPower = 1,
    NetEventQueryRemoveDevice = 2,
    NetEventCancelRemoveDevice = 3,
    NetEventReconfigure = 4,
    NetEventBindList = 5,
    NetEventBindsComplete = 6,
    NetEventPnPCapabilities = 7,
    NetEventPause = 8,
    NetEventRestart = 9,
    NetEventPortActivation = 10,
    NetEventPortDeactivation = 11,
    NetEventIMReEnableDevice = 12,
    NetEventNDKEnable = 13,
    NetEventNDKDisable = 14,
    NetEventFilterPreDetach = 15,
    NetEventBindFailed = 16,
    NetEventSwitchActivate = 17,
    NetEventAllowBindsAbove = 18,
    NetEventInhibitBindsAbove = 19,
    NetEventAllowStart = 20,
    NetEventRequirePause = 21,
    NetEventUploadGftFlowEntries = 22,
    NetEventMaximum = 23,
};
typedef NET_PNP_EVENT_CODE *PNET_PNP_EVENT_CODE;
struct _NET_PNP_EVENT {
    NET_PNP_EVENT_CODE NetEvent;
    PVOID Buffer;
    ULONG BufferLength;
    ULONG_PTR NdisReserved[4];
    ULONG_PTR TransportReserved[4];
    ULONG_PTR TdiReserved[4];
    ULONG_PTR TdiClientReserved[4];
};
typedef NET_PNP_EVENT *PNET_PNP_EVENT;
typedef uint32_t UINT;
typedef uint32_t *PUINT;
typedef UNICODE_STRING NDIS_STRING;
typedef UNICODE_STRING *PNDIS_STRING;
typedef PVOID NDIS_HANDLE;
typedef PVOID *PNDIS_HANDLE;
typedef int32_t NDIS_STATUS;
typedef int32_t *PNDIS_STATUS;
typedef UINT32 NET_IF_COMPARTMENT_ID;
union _NET_LUID_LH {
    ULONG64 Value;
    struct {
        CONDIS_ALIGN(8) uint8_t Reserved_bits[8];
    } Info;
};
#define NET_LUID_LH_Info_Reserved_BIT 0u
#define NET_LUID_LH_Info_Reserved_WIDTH 24u
#define NET_LUID_LH_Info_NetLuidIndex_BIT 24u
#define NET_LUID_LH_Info_NetLuidIndex_WIDTH 24u
#define NET_LUID_LH_Info_IfType_BIT 48u
#define NET_LUID_LH_Info_IfType_WIDTH 16u
typedef NET_LUID_LH NET_LUID;
typedef NET_LUID *PNET_LUID;
typedef ULONG NET_IFINDEX;
typedef UINT16 NET_IFTYPE;
typedef int32_t NET_IF_CONNECTION_TYPE;
enum {
    NET_IF_CONNECTION_DEDICATED = 1,
    NET_IF_CONNECTION_PASSIVE = 2,
    NET_IF_CONNECTION_DEMAND = 3,
    NET_IF_CONNECTION_MAXIMUM = 4,
};
typedef int32_t NET_IF_ACCESS_TYPE;
enum {
    NET_IF_ACCESS_LOOPBACK = 1,
    NET_IF_ACCESS_BROADCAST = 2,
    NET_IF_ACCESS_POINT_TO_POINT = 3,
    NET_IF_ACCESS_POINT_TO_MULTI_POINT = 4,
    NET_IF_ACCESS_MAXIMUM = 5,
};
typedef int32_t NET_IF_DIRECTION_TYPE;
enum {
    NET_IF_DIRECTION_SENDRECEIVE = 0,
    NET_IF_DIRECTION_SENDONLY = 1,
    NET_IF_DIRECTION_RECEIVEONLY = 2,
    NET_IF_DIRECTION_MAXIMUM = 3,
};
typedef int32_t NET_IF_MEDIA_CONNECT_STATE;
enum {
    MediaConnectStateUnknown = 0,
    MediaConnectStateConnected = 1,
    MediaConnectStateDisconnected = 2,
};
typedef int32_t NET_IF_MEDIA_DUPLEX_STATE;
enum {
    MediaDuplexStateUnknown = 0,
    MediaDuplexStateHalf = 1,
    MediaDuplexStateFull = 2,
};
typedef ULONG NDIS_OID;
typedef ULONG *PNDIS_OID;
typedef int32_t NDIS_REQUEST_TYPE;
enum {
    NdisRequestQueryInformation = 0,
    NdisRequestSetInformation = 1,
    NdisRequestQueryStatistics = 2,
    NdisRequestOpen = 3,
    NdisRequestClose = 4,
    NdisRequestSend = 5,
    NdisRequestTransferData = 6,
    NdisRequestReset = 7,
    NdisRequestGeneric1 = 8,
    NdisRequestGeneric2 = 9,
    NdisRequestGeneric3 = 10,
    NdisRequestGeneric4 = 11,
    NdisRequestMethod = 12,
};
typedef NDIS_REQUEST_TYPE *PNDIS_REQUEST_TYPE;
struct _NDIS_VAR_DATA_DESC {
    USHORT Length;
    USHORT MaximumLength;
    ULONG_PTR Offset;
};
typedef NDIS_VAR_DATA_DESC *PNDIS_VAR_DATA_DESC;
struct _NDIS_OBJECT_HEADER {
    UCHAR Type;
    UCHAR Revision;
    USHORT Size;
};
typedef NDIS_OBJECT_HEADER *PNDIS_OBJECT_HEADER;
struct _NDIS_PCI_DEVICE_CUSTOM_PROPERTIES {
    NDIS_OBJECT_HEADER Header;
    UINT32 DeviceType;
    UINT32 CurrentSpeedAndMode;
    UINT32 CurrentPayloadSize;
    UINT32 MaxPayloadSize;
    UINT32 MaxReadRequestSize;
    UINT32 CurrentLinkSpeed;
    UINT32 CurrentLinkWidth;
    UINT32 MaxLinkSpeed;
    UINT32 MaxLinkWidth;
    UINT32 PciExpressVersion;
    UINT32 InterruptType;
    UINT32 MaxInterruptMessages;
};
typedef NDIS_PCI_DEVICE_CUSTOM_PROPERTIES *PNDIS_PCI_DEVICE_CUSTOM_PROPERTIES;
struct NDIS_CO_DEVICE_PROFILE {
    NDIS_VAR_DATA_DESC DeviceDescription;
    NDIS_VAR_DATA_DESC DevSpecificInfo;
    ULONG ulTAPISupplementaryPassThru;
    ULONG ulAddressModes;
    ULONG ulNumAddresses;
    ULONG ulBearerModes;
    ULONG ulMaxTxRate;
    ULONG ulMinTxRate;
    ULONG ulMaxRxRate;
    ULONG ulMinRxRate;
    ULONG ulMediaModes;
    ULONG ulGenerateToneModes;
    ULONG ulGenerateToneMaxNumFreq;
    ULONG ulGenerateDigitModes;
    ULONG ulMonitorToneMaxNumFreq;
    ULONG ulMonitorToneMaxNumEntries;
    ULONG ulMonitorDigitModes;
    ULONG ulGatherDigitsMinTimeout;
    ULONG ulGatherDigitsMaxTimeout;
    ULONG ulDevCapFlags;
    ULONG ulMaxNumActiveCalls;
    ULONG ulAnswerMode;
    ULONG ulUUIAcceptSize;
    ULONG ulUUIAnswerSize;
    ULONG ulUUIMakeCallSize;
    ULONG ulUUIDropSize;
    ULONG ulUUISendUserUserInfoSize;
    ULONG ulUUICallInfoSize;
};
typedef NDIS_CO_DEVICE_PROFILE *PNDIS_CO_DEVICE_PROFILE;
typedef int32_t NDIS_MEDIUM;
enum {
    NdisMedium802_3 = 0,
    NdisMedium802_5 = 1,
    NdisMediumFddi = 2,
    NdisMediumWan = 3,
    NdisMediumLocalTalk = 4,
    NdisMediumDix = 5,
    NdisMediumArcnetRaw = 6,
    NdisMediumArcnet878_2 = 7,
    NdisMediumAtm = 8,
    NdisMediumWirelessWan = 9,
    NdisMediumIrda = 10,
    NdisMediumBpc = 11,
    NdisMediumCoWan = 12,
    NdisMedium1394 = 13,
    NdisMediumInfiniBand = 14,
    NdisMediumTunnel = 15,
    NdisMediumNative802_11 = 16,
    NdisMediumLoopback = 17,
    NdisMediumWiMAX = 18,
    NdisMediumIP = 19,
    NdisMediumMax = 20,
};
typedef NDIS_MEDIUM *PNDIS_MEDIUM;
typedef int32_t NDIS_PHYSICAL_MEDIUM;
enum {
    NdisPhysicalMediumUnspecified = 0,
    NdisPhysicalMediumWirelessLan = 1,
    NdisPhysicalMediumCableModem = 2,
    NdisPhysicalMediumPhoneLine = 3,
    NdisPhysicalMediumPowerLine = 4,
    NdisPhysicalMediumDSL = 5,
    NdisPhysicalMediumFibreChannel = 6,
    NdisPhysicalMedium1394 = 7,
    NdisPhysicalMediumWirelessWan = 8,
    NdisPhysicalMediumNative802_11 = 9,
    NdisPhysicalMediumBluetooth = 10,
    NdisPhysicalMediumInfiniband = 11,
    NdisPhysicalMediumWiMax = 12,
    NdisPhysicalMediumUWB = 13,
    NdisPhysicalMedium802_3 = 14,
    NdisPhysicalMedium802_5 = 15,
    NdisPhysicalMediumIrda = 16,
    NdisPhysicalMediumWiredWAN = 17,
    NdisPhysicalMediumWiredCoWan = 18,
    NdisPhysicalMediumOther = 19,
    NdisPhysicalMediumNative802_15_4 = 20,
    NdisPhysicalMediumMax = 21,
};
typedef NDIS_PHYSICAL_MEDIUM *PNDIS_PHYSICAL_MEDIUM;
typedef int32_t NDIS_DEVICE_POWER_STATE;
enum {
    NdisDeviceStateUnspecified = 0,
    NdisDeviceStateD0 = 1,
    NdisDeviceStateD1 = 2,
    NdisDeviceStateD2 = 3,
    NdisDeviceStateD3 = 4,
    NdisDeviceStateMaximum = 5,
};
typedef NDIS_DEVICE_POWER_STATE *PNDIS_DEVICE_POWER_STATE;
struct _NDIS_PM_WAKE_UP_CAPABILITIES {
    NDIS_DEVICE_POWER_STATE MinMagicPacketWakeUp;
    NDIS_DEVICE_POWER_STATE MinPatternWakeUp;
    NDIS_DEVICE_POWER_STATE MinLinkChangeWakeUp;
};
typedef NDIS_PM_WAKE_UP_CAPABILITIES *PNDIS_PM_WAKE_UP_CAPABILITIES;
struct _NDIS_PNP_CAPABILITIES {
    ULONG Flags;
    NDIS_PM_WAKE_UP_CAPABILITIES WakeUpCapabilities;
};
typedef NDIS_PNP_CAPABILITIES *PNDIS_PNP_CAPABILITIES;
struct _NDIS_CO_LINK_SPEED {
    ULONG Outbound;
    ULONG Inbound;
};
typedef NDIS_CO_LINK_SPEED *PNDIS_CO_LINK_SPEED;
typedef DOT11_PHY_ATTRIBUTES *PDOT11_PHY_ATTRIBUTES;
typedef DOT11_EXTSTA_ATTRIBUTES *PDOT11_EXTSTA_ATTRIBUTES;
typedef _DOT11_EXTAP_ATTRIBUTES *PDOT11_EXTAP_ATTRIBUTES;
typedef DOT11_VWIFI_ATTRIBUTES *PDOT11_VWIFI_ATTRIBUTES;
typedef _DOT11_WFD_ATTRIBUTES *PDOT11_WFD_ATTRIBUTES;
typedef NET_IF_MEDIA_CONNECT_STATE NDIS_MEDIA_CONNECT_STATE;
typedef NET_IF_MEDIA_DUPLEX_STATE NDIS_MEDIA_DUPLEX_STATE;
typedef NDIS_OFFLOAD *PNDIS_OFFLOAD;
typedef NDIS_TCP_CONNECTION_OFFLOAD *PNDIS_TCP_CONNECTION_OFFLOAD;
typedef ULONG NDIS_PORT_NUMBER;
typedef int32_t NDIS_PORT_TYPE;
enum {
    NdisPortTypeUndefined = 0,
    NdisPortTypeBridge = 1,
    NdisPortTypeRasConnection = 2,
    NdisPortType8021xSupplicant = 3,
    NdisPortTypeNdisImPlatform = 4,
    NdisPortTypeMax = 5,
};
typedef NDIS_PORT_TYPE *PNDIS_PORT_TYPE;
typedef int32_t NDIS_PORT_AUTHORIZATION_STATE;
enum {
    NdisPortAuthorizationUnknown = 0,
    NdisPortAuthorized = 1,
    NdisPortUnauthorized = 2,
    NdisPortReauthorizing = 3,
};
typedef NDIS_PORT_AUTHORIZATION_STATE *PNDIS_PORT_AUTHORIZATION_STATE;
typedef int32_t NDIS_PORT_CONTROL_STATE;
enum {
    NdisPortControlStateUnknown = 0,
    NdisPortControlStateControlled = 1,
    NdisPortControlStateUncontrolled = 2,
};
typedef NDIS_PORT_CONTROL_STATE *PNDIS_PORT_CONTROL_STATE;
struct _NDIS_PORT_AUTHENTICATION_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    NDIS_PORT_CONTROL_STATE SendControlState;
    NDIS_PORT_CONTROL_STATE RcvControlState;
    NDIS_PORT_AUTHORIZATION_STATE SendAuthorizationState;
    NDIS_PORT_AUTHORIZATION_STATE RcvAuthorizationState;
};
typedef NDIS_PORT_AUTHENTICATION_PARAMETERS *PNDIS_PORT_AUTHENTICATION_PARAMETERS;
typedef NDIS_HD_SPLIT_CURRENT_CONFIG *PNDIS_HD_SPLIT_CURRENT_CONFIG;
struct _NDIS_PM_CAPABILITIES {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    ULONG SupportedWoLPacketPatterns;
    ULONG NumTotalWoLPatterns;
    ULONG MaxWoLPatternSize;
    ULONG MaxWoLPatternOffset;
    ULONG MaxWoLPacketSaveBuffer;
    ULONG SupportedProtocolOffloads;
    ULONG NumArpOffloadIPv4Addresses;
    ULONG NumNSOffloadIPv6Addresses;
    NDIS_DEVICE_POWER_STATE MinMagicPacketWakeUp;
    NDIS_DEVICE_POWER_STATE MinPatternWakeUp;
    NDIS_DEVICE_POWER_STATE MinLinkChangeWakeUp;
    ULONG SupportedWakeUpEvents;
    ULONG MediaSpecificWakeUpEvents;
};
typedef NDIS_PM_CAPABILITIES *PNDIS_PM_CAPABILITIES;
typedef NDIS_RECEIVE_FILTER_CAPABILITIES *PNDIS_RECEIVE_FILTER_CAPABILITIES;
typedef NDIS_NIC_SWITCH_CAPABILITIES *PNDIS_NIC_SWITCH_CAPABILITIES;
typedef ULONG NDIS_NIC_SWITCH_ID;
typedef ULONG NDIS_NIC_SWITCH_VPORT_ID;
typedef NDIS_RECEIVE_SCALE_CAPABILITIES *PNDIS_RECEIVE_SCALE_CAPABILITIES;
typedef NDIS_NDK_CAPABILITIES *PNDIS_NDK_CAPABILITIES;
typedef NDIS_QOS_CAPABILITIES *PNDIS_QOS_CAPABILITIES;
typedef NDIS_NIC_SWITCH_INFO_ARRAY *PNDIS_NIC_SWITCH_INFO_ARRAY;
typedef NDIS_SRIOV_CAPABILITIES *PNDIS_SRIOV_CAPABILITIES;
typedef NDIS_OID_REQUEST *PNDIS_OID_REQUEST;
struct _NDIS_PORT_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    NDIS_PORT_NUMBER PortNumber;
    ULONG Flags;
    NDIS_PORT_TYPE Type;
    NDIS_MEDIA_CONNECT_STATE MediaConnectState;
    ULONG64 XmitLinkSpeed;
    ULONG64 RcvLinkSpeed;
    NET_IF_DIRECTION_TYPE Direction;
    NDIS_PORT_CONTROL_STATE SendControlState;
    NDIS_PORT_CONTROL_STATE RcvControlState;
    NDIS_PORT_AUTHORIZATION_STATE SendAuthorizationState;
    NDIS_PORT_AUTHORIZATION_STATE RcvAuthorizationState;
};
typedef NDIS_PORT_CHARACTERISTICS *PNDIS_PORT_CHARACTERISTICS;
typedef NDIS_PORT *PNDIS_PORT;
struct _NDIS_PORT {
    PNDIS_PORT Next;
    PVOID NdisReserved;
    PVOID MiniportReserved;
    PVOID ProtocolReserved;
    NDIS_PORT_CHARACTERISTICS PortCharacteristics;
};
typedef NDIS_GFT_OFFLOAD_CAPABILITIES *PNDIS_GFT_OFFLOAD_CAPABILITIES;
struct _NDIS_SPIN_LOCK {
    KSPIN_LOCK SpinLock;
    KIRQL OldIrql;
};
typedef NDIS_SPIN_LOCK *PNDIS_SPIN_LOCK;
struct _NDIS_EVENT {
    KEVENT Event;
};
typedef NDIS_EVENT *PNDIS_EVENT;
typedef int32_t NDIS_PARAMETER_TYPE;
enum {
    NdisParameterInteger = 0,
    NdisParameterHexInteger = 1,
    NdisParameterString = 2,
    NdisParameterMultiString = 3,
    NdisParameterBinary = 4,
};
typedef NDIS_PARAMETER_TYPE *PNDIS_PARAMETER_TYPE;
struct BINARY_DATA {
    USHORT Length;
    PVOID Buffer;
};
struct _NDIS_CONFIGURATION_PARAMETER {
    NDIS_PARAMETER_TYPE ParameterType;
    union {
        ULONG IntegerData;
        NDIS_STRING StringData;
        BINARY_DATA BinaryData;
    } ParameterData;
};
typedef NDIS_CONFIGURATION_PARAMETER *PNDIS_CONFIGURATION_PARAMETER;
typedef int32_t NDIS_INTERFACE_TYPE;
enum {
    NdisInterfaceInternal = 0,
    NdisInterfaceIsa = 1,
    NdisInterfaceEisa = 2,
    NdisInterfaceMca = 3,
    NdisInterfaceTurboChannel = 4,
    NdisInterfacePci = 5,
    NdisInterfacePcMcia = 8,
    NdisInterfaceCBus = 9,
    NdisInterfaceMPIBus = 10,
    NdisInterfaceMPSABus = 11,
    NdisInterfaceProcessorInternal = 12,
    NdisInterfaceInternalPowerBus = 13,
    NdisInterfacePNPISABus = 14,
    NdisInterfacePNPBus = 15,
    NdisInterfaceUSB = 16,
    NdisInterfaceIrda = 17,
    NdisInterface1394 = 18,
    NdisMaximumInterfaceType = 19,
};
typedef NDIS_INTERFACE_TYPE *PNDIS_INTERFACE_TYPE;
typedef CM_PARTIAL_RESOURCE_LIST *PNDIS_RESOURCE_LIST;
typedef MDL *PNDIS_BUFFER;
typedef ULONG NDIS_AF;
struct CO_ADDRESS_FAMILY {
    NDIS_AF AddressFamily;
    ULONG MajorVersion;
    ULONG MinorVersion;
};
typedef CO_ADDRESS_FAMILY *PCO_ADDRESS_FAMILY;
struct CO_SAP {
    ULONG SapType;
    ULONG SapLength;
    UCHAR Sap[1];
};
typedef CO_SAP *PCO_SAP;
typedef CO_CALL_PARAMETERS *PCO_CALL_PARAMETERS;
typedef CO_MEDIA_PARAMETERS *PCO_MEDIA_PARAMETERS;
typedef _NDIS_CALL_MANAGER_CHARACTERISTICS *PNDIS_CALL_MANAGER_CHARACTERISTICS;
typedef USHORT *PNET_FRAME_TYPE;
typedef void (NTAPI NDIS_TIMER_FUNCTION)(
    PVOID SystemSpecific1,
    PVOID FunctionContext,
    PVOID SystemSpecific2,
    PVOID SystemSpecific3);
typedef NDIS_TIMER_FUNCTION *PNDIS_TIMER_FUNCTION;
typedef NDIS_RESTART_ATTRIBUTES *PNDIS_RESTART_ATTRIBUTES;
typedef NDIS_STATUS (NTAPI SET_OPTIONS)(
    NDIS_HANDLE NdisDriverHandle,
    NDIS_HANDLE DriverContext);
typedef SET_OPTIONS *SET_OPTIONS_HANDLER;
struct _NDIS_CONFIGURATION_OBJECT {
    NDIS_OBJECT_HEADER Header;
    NDIS_HANDLE NdisHandle;
    ULONG Flags;
};
typedef NDIS_CONFIGURATION_OBJECT *PNDIS_CONFIGURATION_OBJECT;
struct _NDIS_DRIVER_OPTIONAL_HANDLERS {
    NDIS_OBJECT_HEADER Header;
};
typedef NDIS_DRIVER_OPTIONAL_HANDLERS *PNDIS_DRIVER_OPTIONAL_HANDLERS;
struct _NET_PNP_EVENT_NOTIFICATION {
    NDIS_OBJECT_HEADER Header;
    NDIS_PORT_NUMBER PortNumber;
    NET_PNP_EVENT NetPnPEvent;
    ULONG Flags;
    NDIS_NIC_SWITCH_ID SwitchId;
    NDIS_NIC_SWITCH_VPORT_ID VPortId;
};
typedef NET_PNP_EVENT_NOTIFICATION *PNET_PNP_EVENT_NOTIFICATION;
struct _QUERY {
    NDIS_OID Oid;
    PVOID InformationBuffer;
    UINT InformationBufferLength;
    UINT BytesWritten;
    UINT BytesNeeded;
};
struct _SET {
    NDIS_OID Oid;
    PVOID InformationBuffer;
    UINT InformationBufferLength;
    UINT BytesRead;
    UINT BytesNeeded;
};
struct _METHOD {
    NDIS_OID Oid;
    PVOID InformationBuffer;
    ULONG InputBufferLength;
    ULONG OutputBufferLength;
    ULONG MethodId;
    UINT BytesWritten;
    UINT BytesRead;
    UINT BytesNeeded;
};
union _REQUEST_DATA {
    NDIS_OID Oid;
    _QUERY QUERY_INFORMATION;
    _SET SET_INFORMATION;
    _METHOD METHOD_INFORMATION;
};
struct _NDIS_STATUS_INDICATION {
    NDIS_OBJECT_HEADER Header;
    NDIS_HANDLE SourceHandle;
    NDIS_PORT_NUMBER PortNumber;
    NDIS_STATUS StatusCode;
    ULONG Flags;
    NDIS_HANDLE DestinationHandle;
    PVOID RequestId;
    PVOID StatusBuffer;
    ULONG StatusBufferSize;
    GUID Guid;
    PVOID NdisReserved[4];
};
typedef NDIS_STATUS_INDICATION *PNDIS_STATUS_INDICATION;
struct _NDIS_TIMER_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    ULONG AllocationTag;
    PNDIS_TIMER_FUNCTION TimerFunction;
    PVOID FunctionContext;
};
typedef NDIS_TIMER_CHARACTERISTICS *PNDIS_TIMER_CHARACTERISTICS;
typedef NET_BUFFER *PNET_BUFFER;
typedef NET_BUFFER_LIST_CONTEXT *PNET_BUFFER_LIST_CONTEXT;
typedef NET_BUFFER_LIST *PNET_BUFFER_LIST;
union _NET_BUFFER_DATA_LENGTH {
    ULONG DataLength;
    SIZE_T stDataLength;
};
typedef NET_BUFFER_DATA_LENGTH *PNET_BUFFER_DATA_LENGTH;
struct _NET_BUFFER_DATA {
    NET_BUFFER *Next;
    MDL *CurrentMdl;
    ULONG CurrentMdlOffset;
    union {
        ULONG DataLength;
        SIZE_T stDataLength;
    };
    MDL *MdlChain;
    ULONG DataOffset;
};
typedef NET_BUFFER_DATA *PNET_BUFFER_DATA;
typedef NET_BUFFER_HEADER *PNET_BUFFER_HEADER;
struct _NET_BUFFER_SHARED_MEMORY {
    NET_BUFFER_SHARED_MEMORY *NextSharedMemorySegment;
    ULONG SharedMemoryFlags;
    NDIS_HANDLE SharedMemoryHandle;
    ULONG SharedMemoryOffset;
    ULONG SharedMemoryLength;
};
typedef NET_BUFFER_SHARED_MEMORY *PNET_BUFFER_SHARED_MEMORY;
struct _NET_BUFFER_LIST_DATA {
    NET_BUFFER_LIST *Next;
    NET_BUFFER *FirstNetBuffer;
};
typedef NET_BUFFER_LIST_DATA *PNET_BUFFER_LIST_DATA;
typedef NET_BUFFER_LIST_HEADER *PNET_BUFFER_LIST_HEADER;
struct _NET_BUFFER_LIST_POOL_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    UCHAR ProtocolId;
    BOOLEAN fAllocateNetBuffer;
    USHORT ContextSize;
    ULONG PoolTag;
    ULONG DataSize;
    ULONG Flags;
};
typedef NET_BUFFER_LIST_POOL_PARAMETERS *PNET_BUFFER_LIST_POOL_PARAMETERS;
struct _NET_BUFFER_POOL_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    ULONG PoolTag;
    ULONG DataSize;
    ULONG Flags;
};
typedef NET_BUFFER_POOL_PARAMETERS *PNET_BUFFER_POOL_PARAMETERS;
typedef MDL *(NTAPI NET_BUFFER_ALLOCATE_MDL)(ULONG *BufferSize);
typedef void (NTAPI NET_BUFFER_FREE_MDL)(MDL *Mdl);
typedef NDIS_STATUS (NTAPI PROTOCOL_CO_OID_REQUEST)(
    NDIS_HANDLE ProtocolAfContext,
    NDIS_HANDLE ProtocolVcContext,
    NDIS_HANDLE ProtocolPartyContext,
    PNDIS_OID_REQUEST OidRequest);
typedef PROTOCOL_CO_OID_REQUEST *CO_OID_REQUEST_HANDLER;
typedef void (NTAPI PROTOCOL_CO_OID_REQUEST_COMPLETE)(
    NDIS_HANDLE ProtocolAfContext,
    NDIS_HANDLE ProtocolVcContext,
    NDIS_HANDLE ProtocolPartyContext,
    PNDIS_OID_REQUEST OidRequest,
    NDIS_STATUS Status);
typedef PROTOCOL_CO_OID_REQUEST_COMPLETE *CO_OID_REQUEST_COMPLETE_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CO_CREATE_VC)(
    NDIS_HANDLE ProtocolAfContext,
    NDIS_HANDLE NdisVcHandle,
    PNDIS_HANDLE ProtocolVcContext);
typedef PROTOCOL_CO_CREATE_VC *CO_CREATE_VC_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CO_DELETE_VC)(NDIS_HANDLE ProtocolVcContext);
typedef PROTOCOL_CO_DELETE_VC *CO_DELETE_VC_HANDLER;
typedef void (NTAPI PROTOCOL_CO_AF_REGISTER_NOTIFY)(
    NDIS_HANDLE ProtocolBindingContext,
    PCO_ADDRESS_FAMILY AddressFamily);
typedef PROTOCOL_CO_AF_REGISTER_NOTIFY *CO_AF_REGISTER_NOTIFY_HANDLER;
typedef void (NTAPI PROTOCOL_CO_RECEIVE_NET_BUFFER_LISTS)(
    NDIS_HANDLE ProtocolBindingContext,
    NDIS_HANDLE ProtocolVcContext,
    PNET_BUFFER_LIST NetBufferLists,
    ULONG NumberOfNetBufferLists,
    ULONG ReceiveFlags);
typedef PROTOCOL_CO_RECEIVE_NET_BUFFER_LISTS *CO_RECEIVE_NET_BUFFER_LISTS_HANDLER;
typedef void (NTAPI PROTOCOL_CO_SEND_NET_BUFFER_LISTS_COMPLETE)(
    NDIS_HANDLE ProtocolVcContext,
    PNET_BUFFER_LIST NetBufferLists,
    ULONG SendCompleteFlags);
typedef PROTOCOL_CO_SEND_NET_BUFFER_LISTS_COMPLETE *CO_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CO_STATUS_EX)(
    NDIS_HANDLE ProtocolBindingContext,
    NDIS_HANDLE ProtocolVcContext,
    PNDIS_STATUS_INDICATION StatusIndication);
typedef PROTOCOL_CO_STATUS_EX *CO_STATUS_HANDLER_EX;
typedef NDIS_STATUS (NTAPI PROTOCOL_CL_NOTIFY_CLOSE_AF)(NDIS_HANDLE ClientAfContext);
typedef PROTOCOL_CL_NOTIFY_CLOSE_AF *CL_NOTIFY_CLOSE_AF_HANDLER;
typedef void (NTAPI PROTOCOL_CL_OPEN_AF_COMPLETE_EX)(
    NDIS_HANDLE ProtocolAfContext,
    NDIS_HANDLE NdisAfHandle,
    NDIS_STATUS Status);
typedef PROTOCOL_CL_OPEN_AF_COMPLETE_EX *CL_OPEN_AF_COMPLETE_HANDLER_EX;
typedef void (NTAPI PROTOCOL_CM_NOTIFY_CLOSE_AF_COMPLETE)(
    NDIS_HANDLE CallMgrAfContext,
    NDIS_STATUS Status);
typedef PROTOCOL_CM_NOTIFY_CLOSE_AF_COMPLETE *CM_NOTIFY_CLOSE_AF_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_OID_REQUEST_COMPLETE)(
    NDIS_HANDLE ProtocolBindingContext,
    PNDIS_OID_REQUEST OidRequest,
    NDIS_STATUS Status);
typedef PROTOCOL_OID_REQUEST_COMPLETE *OID_REQUEST_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_RECEIVE_NET_BUFFER_LISTS)(
    NDIS_HANDLE ProtocolBindingContext,
    PNET_BUFFER_LIST NetBufferLists,
    NDIS_PORT_NUMBER PortNumber,
    ULONG NumberOfNetBufferLists,
    ULONG ReceiveFlags);
typedef PROTOCOL_RECEIVE_NET_BUFFER_LISTS *RECEIVE_NET_BUFFER_LISTS_HANDLER;
typedef void (NTAPI PROTOCOL_SEND_NET_BUFFER_LISTS_COMPLETE)(
    NDIS_HANDLE ProtocolBindingContext,
    PNET_BUFFER_LIST NetBufferList,
    ULONG SendCompleteFlags);
typedef PROTOCOL_SEND_NET_BUFFER_LISTS_COMPLETE *SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_DIRECT_OID_REQUEST_COMPLETE)(
    NDIS_HANDLE ProtocolBindingContext,
    PNDIS_OID_REQUEST OidRequest,
    NDIS_STATUS Status);
typedef PROTOCOL_DIRECT_OID_REQUEST_COMPLETE *DIRECT_OID_REQUEST_COMPLETE_HANDLER;
struct _NDIS_BIND_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    PNDIS_STRING ProtocolSection;
    PNDIS_STRING AdapterName;
    PDEVICE_OBJECT PhysicalDeviceObject;
    NDIS_MEDIUM MediaType;
    ULONG MtuSize;
    ULONG64 MaxXmitLinkSpeed;
    ULONG64 XmitLinkSpeed;
    ULONG64 MaxRcvLinkSpeed;
    ULONG64 RcvLinkSpeed;
    NDIS_MEDIA_CONNECT_STATE MediaConnectState;
    NDIS_MEDIA_DUPLEX_STATE MediaDuplexState;
    ULONG LookaheadSize;
    PNDIS_PNP_CAPABILITIES PowerManagementCapabilities;
    ULONG SupportedPacketFilters;
    ULONG MaxMulticastListSize;
    USHORT MacAddressLength;
    UCHAR CurrentMacAddress[32];
    NDIS_PHYSICAL_MEDIUM PhysicalMediumType;
    PNDIS_RECEIVE_SCALE_CAPABILITIES RcvScaleCapabilities;
    NET_LUID BoundIfNetluid;
    NET_IFINDEX BoundIfIndex;
    NET_LUID LowestIfNetluid;
    NET_IFINDEX LowestIfIndex;
    NET_IF_ACCESS_TYPE AccessType;
    NET_IF_DIRECTION_TYPE DirectionType;
    NET_IF_CONNECTION_TYPE ConnectionType;
    NET_IFTYPE IfType;
    BOOLEAN IfConnectorPresent;
    PNDIS_PORT ActivePorts;
    ULONG DataBackFillSize;
    ULONG ContextBackFillSize;
    ULONG MacOptions;
    NET_IF_COMPARTMENT_ID CompartmentId;
    PNDIS_OFFLOAD DefaultOffloadConfiguration;
    PNDIS_TCP_CONNECTION_OFFLOAD TcpConnectionOffloadCapabilities;
    PNDIS_STRING BoundAdapterName;
    PNDIS_HD_SPLIT_CURRENT_CONFIG HDSplitCurrentConfig;
    PNDIS_RECEIVE_FILTER_CAPABILITIES ReceiveFilterCapabilities;
    PNDIS_PM_CAPABILITIES PowerManagementCapabilitiesEx;
    PNDIS_NIC_SWITCH_CAPABILITIES NicSwitchCapabilities;
    BOOLEAN NDKEnabled;
    PNDIS_NDK_CAPABILITIES NDKCapabilities;
    PNDIS_SRIOV_CAPABILITIES SriovCapabilities;
    PNDIS_NIC_SWITCH_INFO_ARRAY NicSwitchArray;
};
typedef NDIS_BIND_PARAMETERS *PNDIS_BIND_PARAMETERS;
typedef NDIS_STATUS (NTAPI PROTOCOL_BIND_ADAPTER_EX)(
    NDIS_HANDLE ProtocolDriverContext,
    NDIS_HANDLE BindContext,
    PNDIS_BIND_PARAMETERS BindParameters);
typedef PROTOCOL_BIND_ADAPTER_EX *BIND_HANDLER_EX;
typedef NDIS_STATUS (NTAPI PROTOCOL_UNBIND_ADAPTER_EX)(
    NDIS_HANDLE UnbindContext,
    NDIS_HANDLE ProtocolBindingContext);
typedef PROTOCOL_UNBIND_ADAPTER_EX *UNBIND_HANDLER_EX;
typedef void (NTAPI PROTOCOL_OPEN_ADAPTER_COMPLETE_EX)(
    NDIS_HANDLE ProtocolBindingContext,
    NDIS_STATUS Status);
typedef PROTOCOL_OPEN_ADAPTER_COMPLETE_EX *OPEN_ADAPTER_COMPLETE_HANDLER_EX;
typedef void (NTAPI PROTOCOL_CLOSE_ADAPTER_COMPLETE_EX)(
    NDIS_HANDLE ProtocolBindingContext);
typedef PROTOCOL_CLOSE_ADAPTER_COMPLETE_EX *CLOSE_ADAPTER_COMPLETE_HANDLER_EX;
typedef void (NTAPI PROTOCOL_STATUS_EX)(
    NDIS_HANDLE ProtocolBindingContext,
    PNDIS_STATUS_INDICATION StatusIndication);
typedef PROTOCOL_STATUS_EX *STATUS_HANDLER_EX;
typedef NDIS_STATUS (NTAPI PROTOCOL_NET_PNP_EVENT)(
    NDIS_HANDLE ProtocolBindingContext,
    PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification);
typedef PROTOCOL_NET_PNP_EVENT *NET_PNP_EVENT_HANDLER;
typedef void (NTAPI PROTOCOL_UNINSTALL)(void);
typedef PROTOCOL_UNINSTALL *UNINSTALL_PROTOCOL_HANDLER;
struct _NDIS_PROTOCOL_CO_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    CO_STATUS_HANDLER_EX CoStatusHandlerEx;
    CO_AF_REGISTER_NOTIFY_HANDLER CoAfRegisterNotifyHandler;
    CO_RECEIVE_NET_BUFFER_LISTS_HANDLER CoReceiveNetBufferListsHandler;
    CO_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER CoSendNetBufferListsCompleteHandler;
};
typedef NDIS_PROTOCOL_CO_CHARACTERISTICS *PNDIS_PROTOCOL_CO_CHARACTERISTICS;
struct _NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    UCHAR MajorNdisVersion;
    UCHAR MinorNdisVersion;
    UCHAR MajorDriverVersion;
    UCHAR MinorDriverVersion;
    ULONG Flags;
    NDIS_STRING Name;
    SET_OPTIONS_HANDLER SetOptionsHandler;
    BIND_HANDLER_EX BindAdapterHandlerEx;
    UNBIND_HANDLER_EX UnbindAdapterHandlerEx;
    OPEN_ADAPTER_COMPLETE_HANDLER_EX OpenAdapterCompleteHandlerEx;
    CLOSE_ADAPTER_COMPLETE_HANDLER_EX CloseAdapterCompleteHandlerEx;
    NET_PNP_EVENT_HANDLER NetPnPEventHandler;
    UNINSTALL_PROTOCOL_HANDLER UninstallHandler;
    OID_REQUEST_COMPLETE_HANDLER OidRequestCompleteHandler;
    STATUS_HANDLER_EX StatusHandlerEx;
    RECEIVE_NET_BUFFER_LISTS_HANDLER ReceiveNetBufferListsHandler;
    SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER SendNetBufferListsCompleteHandler;
    DIRECT_OID_REQUEST_COMPLETE_HANDLER DirectOidRequestCompleteHandler;
};
typedef NDIS_PROTOCOL_DRIVER_CHARACTERISTICS *PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS;
struct _NDIS_OPEN_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    PNDIS_STRING AdapterName;
    PNDIS_MEDIUM MediumArray;
    UINT MediumArraySize;
    PUINT SelectedMediumIndex;
    PNET_FRAME_TYPE FrameTypeArray;
    UINT FrameTypeArraySize;
};
typedef NDIS_OPEN_PARAMETERS *PNDIS_OPEN_PARAMETERS;
typedef PVOID NDIS_MINIPORT_ADAPTER_CONTEXT;
typedef PVOID NDIS_MINIPORT_ADAPTER_HANDLE;
typedef NDIS_STATUS (NTAPI MINIPORT_CO_CREATE_VC)(
    NDIS_HANDLE MiniportAdapterContext,
    NDIS_HANDLE NdisVcHandle,
    PNDIS_HANDLE MiniportVcContext);
typedef MINIPORT_CO_CREATE_VC *W_CO_CREATE_VC_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_CO_DELETE_VC)(NDIS_HANDLE MiniportVcContext);
typedef MINIPORT_CO_DELETE_VC *W_CO_DELETE_VC_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_CO_ACTIVATE_VC)(
    NDIS_HANDLE MiniportVcContext,
    PCO_CALL_PARAMETERS CallParameters);
typedef MINIPORT_CO_ACTIVATE_VC *W_CO_ACTIVATE_VC_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_CO_DEACTIVATE_VC)(NDIS_HANDLE MiniportVcContext);
typedef MINIPORT_CO_DEACTIVATE_VC *W_CO_DEACTIVATE_VC_HANDLER;
typedef void (NTAPI MINIPORT_CO_SEND_NET_BUFFER_LISTS)(
    NDIS_HANDLE MiniportVcContext,
    PNET_BUFFER_LIST NetBufferLists,
    ULONG SendFlags);
typedef MINIPORT_CO_SEND_NET_BUFFER_LISTS *W_CO_SEND_NET_BUFFER_LISTS_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_CO_OID_REQUEST)(
    NDIS_HANDLE MiniportAdapterContext,
    NDIS_HANDLE MiniportVcContext,
    PNDIS_OID_REQUEST NdisRequest);
typedef MINIPORT_CO_OID_REQUEST *W_CO_OID_REQUEST_HANDLER;
typedef int32_t NDIS_DEVICE_PNP_EVENT;
enum {
    NdisDevicePnPEventQueryRemoved = 0,
    NdisDevicePnPEventRemoved = 1,
    NdisDevicePnPEventSurpriseRemoved = 2,
    NdisDevicePnPEventQueryStopped = 3,
    NdisDevicePnPEventStopped = 4,
    NdisDevicePnPEventPowerProfileChanged = 5,
    NdisDevicePnPEventFilterListChanged = 6,
    NdisDevicePnPEventMaximum = 7,
};
typedef NDIS_DEVICE_PNP_EVENT *PNDIS_DEVICE_PNP_EVENT;
struct _NDIS_MINIPORT_INIT_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    PNDIS_RESOURCE_LIST AllocatedResources;
    NDIS_HANDLE IMDeviceInstanceContext;
    NDIS_HANDLE MiniportAddDeviceContext;
    NET_IFINDEX IfIndex;
    NET_LUID NetLuid;
    PNDIS_PORT_AUTHENTICATION_PARAMETERS DefaultPortAuthStates;
    PNDIS_PCI_DEVICE_CUSTOM_PROPERTIES PciDeviceCustomProperties;
};
typedef NDIS_MINIPORT_INIT_PARAMETERS *PNDIS_MINIPORT_INIT_PARAMETERS;
struct _NDIS_MINIPORT_RESTART_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    PNDIS_RESTART_ATTRIBUTES RestartAttributes;
    ULONG Flags;
};
typedef NDIS_MINIPORT_RESTART_PARAMETERS *PNDIS_MINIPORT_RESTART_PARAMETERS;
struct _NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    NDIS_HANDLE MiniportAdapterContext;
    ULONG AttributeFlags;
    UINT CheckForHangTimeInSeconds;
    NDIS_INTERFACE_TYPE InterfaceType;
};
typedef NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES *PNDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
struct _NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    NDIS_HANDLE MiniportAddDeviceContext;
    ULONG Flags;
};
typedef NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES *PNDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES;
struct _NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    NDIS_MEDIUM MediaType;
    NDIS_PHYSICAL_MEDIUM PhysicalMediumType;
    ULONG MtuSize;
    ULONG64 MaxXmitLinkSpeed;
    ULONG64 XmitLinkSpeed;
    ULONG64 MaxRcvLinkSpeed;
    ULONG64 RcvLinkSpeed;
    NDIS_MEDIA_CONNECT_STATE MediaConnectState;
    NDIS_MEDIA_DUPLEX_STATE MediaDuplexState;
    ULONG LookaheadSize;
    PNDIS_PNP_CAPABILITIES PowerManagementCapabilities;
    ULONG MacOptions;
    ULONG SupportedPacketFilters;
    ULONG MaxMulticastListSize;
    USHORT MacAddressLength;
    UCHAR PermanentMacAddress[32];
    UCHAR CurrentMacAddress[32];
    PNDIS_RECEIVE_SCALE_CAPABILITIES RecvScaleCapabilities;
    NET_IF_ACCESS_TYPE AccessType;
    NET_IF_DIRECTION_TYPE DirectionType;
    NET_IF_CONNECTION_TYPE ConnectionType;
    NET_IFTYPE IfType;
    BOOLEAN IfConnectorPresent;
    ULONG SupportedStatistics;
    ULONG SupportedPauseFunctions;
    ULONG DataBackFillSize;
    ULONG ContextBackFillSize;
    PNDIS_OID SupportedOidList;
    ULONG SupportedOidListLength;
    ULONG AutoNegotiationFlags;
    PNDIS_PM_CAPABILITIES PowerManagementCapabilitiesEx;
};
typedef NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES *PNDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES;
typedef NDIS_HD_SPLIT_ATTRIBUTES *PNDIS_HD_SPLIT_ATTRIBUTES;
struct _NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    PNDIS_HD_SPLIT_ATTRIBUTES HDSplitAttributes;
    PNDIS_RECEIVE_FILTER_CAPABILITIES HardwareReceiveFilterCapabilities;
    PNDIS_RECEIVE_FILTER_CAPABILITIES CurrentReceiveFilterCapabilities;
    PNDIS_NIC_SWITCH_CAPABILITIES HardwareNicSwitchCapabilities;
    PNDIS_NIC_SWITCH_CAPABILITIES CurrentNicSwitchCapabilities;
    PNDIS_SRIOV_CAPABILITIES HardwareSriovCapabilities;
    PNDIS_SRIOV_CAPABILITIES CurrentSriovCapabilities;
    PNDIS_QOS_CAPABILITIES HardwareQosCapabilities;
    PNDIS_QOS_CAPABILITIES CurrentQosCapabilities;
    PNDIS_GFT_OFFLOAD_CAPABILITIES HardwareGftOffloadCapabilities;
    PNDIS_GFT_OFFLOAD_CAPABILITIES CurrentGftOffloadCapabilities;
};
typedef NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES *PNDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES;
struct _NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    PNDIS_OFFLOAD DefaultOffloadConfiguration;
    PNDIS_OFFLOAD HardwareOffloadCapabilities;
    PNDIS_TCP_CONNECTION_OFFLOAD DefaultTcpConnectionOffloadConfiguration;
    PNDIS_TCP_CONNECTION_OFFLOAD TcpConnectionOffloadHardwareCapabilities;
};
typedef NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES *PNDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES;
struct _NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    ULONG OpModeCapability;
    ULONG NumOfTXBuffers;
    ULONG NumOfRXBuffers;
    BOOLEAN MultiDomainCapabilityImplemented;
    ULONG NumSupportedPhys;
    PDOT11_PHY_ATTRIBUTES SupportedPhyAttributes;
    PDOT11_EXTSTA_ATTRIBUTES ExtSTAAttributes;
    PDOT11_VWIFI_ATTRIBUTES VWiFiAttributes;
    PDOT11_EXTAP_ATTRIBUTES ExtAPAttributes;
    PDOT11_WFD_ATTRIBUTES WFDAttributes;
};
typedef NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES *PNDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES;
struct _NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    BOOLEAN Enabled;
    PNDIS_NDK_CAPABILITIES NdkCapabilities;
};
typedef NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES *PNDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES;
struct _NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    UCHAR DmaAddressWidth;
};
union _NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
    NDIS_OBJECT_HEADER Header;
    NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES AddDeviceRegistrationAttributes;
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES RegistrationAttributes;
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES GeneralAttributes;
    NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES OffloadAttributes;
    NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES Native_802_11_Attributes;
    NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES HardwareAssistAttributes;
    NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES NDKAttributes;
    NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES PacketDirectAttributes;
};
typedef NDIS_MINIPORT_ADAPTER_ATTRIBUTES *PNDIS_MINIPORT_ADAPTER_ATTRIBUTES;
typedef NDIS_STATUS (NTAPI MINIPORT_INITIALIZE)(
    NDIS_HANDLE NdisMiniportHandle,
    NDIS_HANDLE MiniportDriverContext,
    PNDIS_MINIPORT_INIT_PARAMETERS MiniportInitParameters);
typedef MINIPORT_INITIALIZE *MINIPORT_INITIALIZE_HANDLER;
typedef int32_t NDIS_HALT_ACTION;
enum {
    NdisHaltDeviceDisabled = 0,
    NdisHaltDeviceInstanceDeInitialized = 1,
    NdisHaltDevicePoweredDown = 2,
    NdisHaltDeviceSurpriseRemoved = 3,
    NdisHaltDeviceFailed = 4,
    NdisHaltDeviceInitializationFailed = 5,
    NdisHaltDeviceStopped = 6,
};
typedef NDIS_HALT_ACTION *PNDIS_HALT_ACTION;
typedef void (NTAPI MINIPORT_HALT)(
    NDIS_HANDLE MiniportAdapterContext,
    NDIS_HALT_ACTION HaltAction);
typedef MINIPORT_HALT *MINIPORT_HALT_HANDLER;
struct _NDIS_MINIPORT_PAUSE_PARAMETERS {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    ULONG PauseReason;
};
typedef NDIS_MINIPORT_PAUSE_PARAMETERS *PNDIS_MINIPORT_PAUSE_PARAMETERS;
typedef NDIS_STATUS (NTAPI MINIPORT_PAUSE)(
    NDIS_HANDLE MiniportAdapterContext,
    PNDIS_MINIPORT_PAUSE_PARAMETERS PauseParameters);
typedef MINIPORT_PAUSE *MINIPORT_PAUSE_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_RESTART)(
    NDIS_HANDLE MiniportAdapterContext,
    PNDIS_MINIPORT_RESTART_PARAMETERS RestartParameters);
typedef MINIPORT_RESTART *MINIPORT_RESTART_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_OID_REQUEST)(
    NDIS_HANDLE MiniportAdapterContext,
    PNDIS_OID_REQUEST OidRequest);
typedef MINIPORT_OID_REQUEST *MINIPORT_OID_REQUEST_HANDLER;
typedef void (NTAPI MINIPORT_UNLOAD)(PDRIVER_OBJECT DriverObject);
typedef MINIPORT_UNLOAD *MINIPORT_DRIVER_UNLOAD;
typedef int32_t NDIS_SHUTDOWN_ACTION;
enum {
    NdisShutdownPowerOff = 0,
    NdisShutdownBugCheck = 1,
};
typedef void (NTAPI MINIPORT_SHUTDOWN)(
    NDIS_HANDLE MiniportAdapterContext,
    NDIS_SHUTDOWN_ACTION ShutdownAction);
typedef MINIPORT_SHUTDOWN *MINIPORT_SHUTDOWN_HANDLER;
typedef NET_DEVICE_PNP_EVENT *PNET_DEVICE_PNP_EVENT;
typedef void (NTAPI MINIPORT_DEVICE_PNP_EVENT_NOTIFY)(
    NDIS_HANDLE MiniportAdapterContext,
    PNET_DEVICE_PNP_EVENT NetDevicePnPEvent);
typedef MINIPORT_DEVICE_PNP_EVENT_NOTIFY *MINIPORT_DEVICE_PNP_EVENT_NOTIFY_HANDLER;
typedef void (NTAPI MINIPORT_CANCEL_SEND)(
    NDIS_HANDLE MiniportAdapterContext,
    PVOID CancelId);
typedef MINIPORT_CANCEL_SEND *MINIPORT_CANCEL_SEND_HANDLER;
typedef BOOLEAN (NTAPI MINIPORT_CHECK_FOR_HANG)(NDIS_HANDLE MiniportAdapterContext);
typedef MINIPORT_CHECK_FOR_HANG *MINIPORT_CHECK_FOR_HANG_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_RESET)(
    NDIS_HANDLE MiniportAdapterContext,
    PBOOLEAN AddressingReset);
typedef MINIPORT_RESET *MINIPORT_RESET_HANDLER;
typedef void (NTAPI MINIPORT_CANCEL_OID_REQUEST)(
    NDIS_HANDLE MiniportAdapterContext,
    PVOID RequestId);
typedef MINIPORT_CANCEL_OID_REQUEST *MINIPORT_CANCEL_OID_REQUEST_HANDLER;
typedef void (NTAPI MINIPORT_SEND_NET_BUFFER_LISTS)(
    NDIS_HANDLE MiniportAdapterContext,
    PNET_BUFFER_LIST NetBufferList,
    NDIS_PORT_NUMBER PortNumber,
    ULONG SendFlags);
typedef MINIPORT_SEND_NET_BUFFER_LISTS *MINIPORT_SEND_NET_BUFFER_LISTS_HANDLER;
typedef void (NTAPI MINIPORT_RETURN_NET_BUFFER_LISTS)(
    NDIS_HANDLE MiniportAdapterContext,
    PNET_BUFFER_LIST NetBufferLists,
    ULONG ReturnFlags);
typedef MINIPORT_RETURN_NET_BUFFER_LISTS *MINIPORT_RETURN_NET_BUFFER_LISTS_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_DIRECT_OID_REQUEST)(
    NDIS_HANDLE MiniportAdapterContext,
    PNDIS_OID_REQUEST OidRequest);
typedef MINIPORT_DIRECT_OID_REQUEST *MINIPORT_DIRECT_OID_REQUEST_HANDLER;
typedef void (NTAPI MINIPORT_CANCEL_DIRECT_OID_REQUEST)(
    NDIS_HANDLE MiniportAdapterContext,
    PVOID RequestId);
typedef MINIPORT_CANCEL_DIRECT_OID_REQUEST *MINIPORT_CANCEL_DIRECT_OID_REQUEST_HANDLER;
typedef NDIS_STATUS (NTAPI MINIPORT_SYNCHRONOUS_OID_REQUEST)(
    NDIS_HANDLE MiniportAdapterContext,
    NDIS_OID_REQUEST *OidRequest);
typedef MINIPORT_SYNCHRONOUS_OID_REQUEST *MINIPORT_SYNCHRONOUS_OID_REQUEST_HANDLER;
struct _NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    UCHAR MajorNdisVersion;
    UCHAR MinorNdisVersion;
    UCHAR MajorDriverVersion;
    UCHAR MinorDriverVersion;
    ULONG Flags;
    SET_OPTIONS_HANDLER SetOptionsHandler;
    MINIPORT_INITIALIZE_HANDLER InitializeHandlerEx;
    MINIPORT_HALT_HANDLER HaltHandlerEx;
    MINIPORT_DRIVER_UNLOAD UnloadHandler;
    MINIPORT_PAUSE_HANDLER PauseHandler;
    MINIPORT_RESTART_HANDLER RestartHandler;
    MINIPORT_OID_REQUEST_HANDLER OidRequestHandler;
    MINIPORT_SEND_NET_BUFFER_LISTS_HANDLER SendNetBufferListsHandler;
    MINIPORT_RETURN_NET_BUFFER_LISTS_HANDLER ReturnNetBufferListsHandler;
    MINIPORT_CANCEL_SEND_HANDLER CancelSendHandler;
    MINIPORT_CHECK_FOR_HANG_HANDLER CheckForHangHandlerEx;
    MINIPORT_RESET_HANDLER ResetHandlerEx;
    MINIPORT_DEVICE_PNP_EVENT_NOTIFY_HANDLER DevicePnPEventNotifyHandler;
    MINIPORT_SHUTDOWN_HANDLER ShutdownHandlerEx;
    MINIPORT_CANCEL_OID_REQUEST_HANDLER CancelOidRequestHandler;
    MINIPORT_DIRECT_OID_REQUEST_HANDLER DirectOidRequestHandler;
    MINIPORT_CANCEL_DIRECT_OID_REQUEST_HANDLER CancelDirectOidRequestHandler;
    MINIPORT_SYNCHRONOUS_OID_REQUEST_HANDLER SynchronousOidRequestHandler;
};
typedef NDIS_MINIPORT_DRIVER_CHARACTERISTICS *PNDIS_MINIPORT_DRIVER_CHARACTERISTICS;
struct _NDIS_MINIPORT_CO_CHARACTERISTICS {
    NDIS_OBJECT_HEADER Header;
    ULONG Flags;
    W_CO_CREATE_VC_HANDLER CoCreateVcHandler;
    W_CO_DELETE_VC_HANDLER CoDeleteVcHandler;
    W_CO_ACTIVATE_VC_HANDLER CoActivateVcHandler;
    W_CO_DEACTIVATE_VC_HANDLER CoDeactivateVcHandler;
    W_CO_SEND_NET_BUFFER_LISTS_HANDLER CoSendNetBufferListsHandler;
    W_CO_OID_REQUEST_HANDLER CoOidRequestHandler;
};
typedef NDIS_MINIPORT_CO_CHARACTERISTICS *PNDIS_MINIPORT_CO_CHARACTERISTICS;
typedef void (NTAPI NDIS_IO_WORKITEM_FUNCTION)(
    PVOID WorkItemContext,
    NDIS_HANDLE NdisIoWorkItemHandle);
typedef NDIS_IO_WORKITEM_FUNCTION *NDIS_IO_WORKITEM_ROUTINE;
typedef NDIS_MSIX_CONFIG_PARAMETERS *PNDIS_MSIX_CONFIG_PARAMETERS;
typedef void (NTAPI PROTOCOL_CL_OPEN_AF_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolAfContext,
    NDIS_HANDLE NdisAfHandle);
typedef void (NTAPI PROTOCOL_CL_CLOSE_AF_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolAfContext);
typedef PROTOCOL_CL_CLOSE_AF_COMPLETE *CL_CLOSE_AF_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CL_REGISTER_SAP_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolSapContext,
    PCO_SAP Sap,
    NDIS_HANDLE NdisSapHandle);
typedef PROTOCOL_CL_REGISTER_SAP_COMPLETE *CL_REG_SAP_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CL_DEREGISTER_SAP_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolSapContext);
typedef PROTOCOL_CL_DEREGISTER_SAP_COMPLETE *CL_DEREG_SAP_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CL_MAKE_CALL_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolVcContext,
    NDIS_HANDLE NdisPartyHandle,
    PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_MAKE_CALL_COMPLETE *CL_MAKE_CALL_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CL_CLOSE_CALL_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolVcContext,
    NDIS_HANDLE ProtocolPartyContext);
typedef PROTOCOL_CL_CLOSE_CALL_COMPLETE *CL_CLOSE_CALL_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CL_ADD_PARTY_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolPartyContext,
    NDIS_HANDLE NdisPartyHandle,
    PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_ADD_PARTY_COMPLETE *CL_ADD_PARTY_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CL_DROP_PARTY_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolPartyContext);
typedef PROTOCOL_CL_DROP_PARTY_COMPLETE *CL_DROP_PARTY_COMPLETE_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CL_INCOMING_CALL)(
    NDIS_HANDLE ProtocolSapContext,
    NDIS_HANDLE ProtocolVcContext,
    PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_INCOMING_CALL *CL_INCOMING_CALL_HANDLER;
typedef void (NTAPI PROTOCOL_CL_CALL_CONNECTED)(NDIS_HANDLE ProtocolVcContext);
typedef PROTOCOL_CL_CALL_CONNECTED *CL_CALL_CONNECTED_HANDLER;
typedef void (NTAPI PROTOCOL_CL_INCOMING_CLOSE_CALL)(
    NDIS_STATUS CloseStatus,
    NDIS_HANDLE ProtocolVcContext,
    PVOID CloseData,
    UINT Size);
typedef PROTOCOL_CL_INCOMING_CLOSE_CALL *CL_INCOMING_CLOSE_CALL_HANDLER;
typedef void (NTAPI PROTOCOL_CL_INCOMING_DROP_PARTY)(
    NDIS_STATUS DropStatus,
    NDIS_HANDLE ProtocolPartyContext,
    PVOID CloseData,
    UINT Size);
typedef PROTOCOL_CL_INCOMING_DROP_PARTY *CL_INCOMING_DROP_PARTY_HANDLER;
typedef void (NTAPI PROTOCOL_CL_MODIFY_CALL_QOS_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE ProtocolVcContext,
    PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_MODIFY_CALL_QOS_COMPLETE *CL_MODIFY_CALL_QOS_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CL_INCOMING_CALL_QOS_CHANGE)(
    NDIS_HANDLE ProtocolVcContext,
    PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CL_INCOMING_CALL_QOS_CHANGE *CL_INCOMING_CALL_QOS_CHANGE_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_OPEN_AF)(
    NDIS_HANDLE CallMgrBindingContext,
    PCO_ADDRESS_FAMILY AddressFamily,
    NDIS_HANDLE NdisAfHandle,
    PNDIS_HANDLE CallMgrAfContext);
typedef PROTOCOL_CM_OPEN_AF *CM_OPEN_AF_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_CLOSE_AF)(NDIS_HANDLE CallMgrAfContext);
typedef PROTOCOL_CM_CLOSE_AF *CM_CLOSE_AF_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_REG_SAP)(
    NDIS_HANDLE CallMgrAfContext,
    PCO_SAP Sap,
    NDIS_HANDLE NdisSapHandle,
    PNDIS_HANDLE CallMgrSapContext);
typedef PROTOCOL_CM_REG_SAP *CM_REG_SAP_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_DEREGISTER_SAP)(NDIS_HANDLE CallMgrSapContext);
typedef PROTOCOL_CM_DEREGISTER_SAP *CM_DEREG_SAP_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_MAKE_CALL)(
    NDIS_HANDLE CallMgrVcContext,
    PCO_CALL_PARAMETERS CallParameters,
    NDIS_HANDLE NdisPartyHandle,
    PNDIS_HANDLE CallMgrPartyContext);
typedef PROTOCOL_CM_MAKE_CALL *CM_MAKE_CALL_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_CLOSE_CALL)(
    NDIS_HANDLE CallMgrVcContext,
    NDIS_HANDLE CallMgrPartyContext,
    PVOID CloseData,
    UINT Size);
typedef PROTOCOL_CM_CLOSE_CALL *CM_CLOSE_CALL_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_MODIFY_QOS_CALL)(
    NDIS_HANDLE CallMgrVcContext,
    PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CM_MODIFY_QOS_CALL *CM_MODIFY_CALL_QOS_HANDLER;
typedef void (NTAPI PROTOCOL_CM_INCOMING_CALL_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE CallMgrVcContext,
    PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CM_INCOMING_CALL_COMPLETE *CM_INCOMING_CALL_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CM_ACTIVATE_VC_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE CallMgrVcContext,
    PCO_CALL_PARAMETERS CallParameters);
typedef PROTOCOL_CM_ACTIVATE_VC_COMPLETE *CM_ACTIVATE_VC_COMPLETE_HANDLER;
typedef void (NTAPI PROTOCOL_CM_DEACTIVATE_VC_COMPLETE)(
    NDIS_STATUS Status,
    NDIS_HANDLE CallMgrVcContext);
typedef PROTOCOL_CM_DEACTIVATE_VC_COMPLETE *CM_DEACTIVATE_VC_COMPLETE_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_ADD_PARTY)(
    NDIS_HANDLE CallMgrVcContext,
    PCO_CALL_PARAMETERS CallParameters,
    NDIS_HANDLE NdisPartyHandle,
    PNDIS_HANDLE CallMgrPartyContext);
typedef PROTOCOL_CM_ADD_PARTY *CM_ADD_PARTY_HANDLER;
typedef NDIS_STATUS (NTAPI PROTOCOL_CM_DROP_PARTY)(
    NDIS_HANDLE CallMgrPartyContext,
    PVOID CloseData,
    UINT Size);
typedef PROTOCOL_CM_DROP_PARTY *CM_DROP_PARTY_HANDLER;
struct _CO_ADDRESS {
    ULONG AddressSize;
    UCHAR Address[1];
};
typedef CO_ADDRESS *PCO_ADDRESS;
struct _CO_ADDRESS_LIST {
    ULONG NumberOfAddressesAvailable;
    ULONG NumberOfAddresses;
    CO_ADDRESS AddressList;
};
typedef CO_ADDRESS_LIST *PCO_ADDRESS_LIST;
typedef ULONG SERVICETYPE;
struct _flowspec {
    ULONG TokenRate;
    ULONG TokenBucketSize;
    ULONG PeakBandwidth;
    ULONG Latency;
    ULONG DelayVariation;
    SERVICETYPE ServiceType;
    ULONG MaxSduSize;
    ULONG MinimumPolicedSize;
};
typedef _flowspec FLOWSPEC;
struct _CO_SPECIFIC_PARAMETERS {
    ULONG ParamType;
    ULONG Length;
    UCHAR Parameters[1];
};
typedef CO_SPECIFIC_PARAMETERS *PCO_SPECIFIC_PARAMETERS;
struct _CO_CALL_MANAGER_PARAMETERS {
    FLOWSPEC Transmit;
    FLOWSPEC Receive;
    CO_SPECIFIC_PARAMETERS CallMgrSpecific;
};
typedef CO_CALL_MANAGER_PARAMETERS *PCO_CALL_MANAGER_PARAMETERS;
struct _CO_CALL_PARAMETERS {
    ULONG Flags;
    PCO_CALL_MANAGER_PARAMETERS CallMgrParameters;
    PCO_MEDIA_PARAMETERS MediaParameters;
};
struct _CO_PVC {
    NDIS_HANDLE NdisAfHandle;
    CO_SPECIFIC_PARAMETERS PvcParameters;
};
typedef CO_PVC *PCO_PVC;
struct _VAR_STRING {
    ULONG ulTotalSize;
    ULONG ulNeededSize;
    ULONG ulUsedSize;
    ULONG ulStringFormat;
    ULONG ulStringSize;
    ULONG ulStringOffset;
};
typedef VAR_STRING *PVAR_STRING;
struct _NDIS_CO_CLIENT_OPTIONAL_HANDLERS {
    NDIS_OBJECT_HEADER Header;
    ULONG Reserved;
    CO_CREATE_VC_HANDLER ClCreateVcHandler;
    CO_DELETE_VC_HANDLER ClDeleteVcHandler;
    CO_OID_REQUEST_HANDLER ClOidRequestHandler;
    CO_OID_REQUEST_COMPLETE_HANDLER ClOidRequestCompleteHandler;
    CL_OPEN_AF_COMPLETE_HANDLER_EX ClOpenAfCompleteHandlerEx;
    CL_CLOSE_AF_COMPLETE_HANDLER ClCloseAfCompleteHandler;
    CL_REG_SAP_COMPLETE_HANDLER ClRegisterSapCompleteHandler;
    CL_DEREG_SAP_COMPLETE_HANDLER ClDeregisterSapCompleteHandler;
    CL_MAKE_CALL_COMPLETE_HANDLER ClMakeCallCompleteHandler;
    CL_MODIFY_CALL_QOS_COMPLETE_HANDLER ClModifyCallQoSCompleteHandler;
    CL_CLOSE_CALL_COMPLETE_HANDLER ClCloseCallCompleteHandler;
    CL_ADD_PARTY_COMPLETE_HANDLER ClAddPartyCompleteHandler;
    CL_DROP_PARTY_COMPLETE_HANDLER ClDropPartyCompleteHandler;
    CL_INCOMING_CALL_HANDLER ClIncomingCallHandler;
    CL_INCOMING_CALL_QOS_CHANGE_HANDLER ClIncomingCallQoSChangeHandler;
    CL_INCOMING_CLOSE_CALL_HANDLER ClIncomingCloseCallHandler;
    CL_INCOMING_DROP_PARTY_HANDLER ClIncomingDropPartyHandler;
    CL_CALL_CONNECTED_HANDLER ClCallConnectedHandler;
    CL_NOTIFY_CLOSE_AF_HANDLER ClNotifyCloseAfHandler;
};
typedef NDIS_CO_CLIENT_OPTIONAL_HANDLERS *PNDIS_CO_CLIENT_OPTIONAL_HANDLERS;
struct _NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS {
    NDIS_OBJECT_HEADER Header;
    ULONG Reserved;
    CO_CREATE_VC_HANDLER CmCreateVcHandler;
    CO_DELETE_VC_HANDLER CmDeleteVcHandler;
    CM_OPEN_AF_HANDLER CmOpenAfHandler;
    CM_CLOSE_AF_HANDLER CmCloseAfHandler;
    CM_REG_SAP_HANDLER CmRegisterSapHandler;
    CM_DEREG_SAP_HANDLER CmDeregisterSapHandler;
    CM_MAKE_CALL_HANDLER CmMakeCallHandler;
    CM_CLOSE_CALL_HANDLER CmCloseCallHandler;
    CM_INCOMING_CALL_COMPLETE_HANDLER CmIncomingCallCompleteHandler;
    CM_ADD_PARTY_HANDLER CmAddPartyHandler;
    CM_DROP_PARTY_HANDLER CmDropPartyHandler;
    CM_ACTIVATE_VC_COMPLETE_HANDLER CmActivateVcCompleteHandler;
    CM_DEACTIVATE_VC_COMPLETE_HANDLER CmDeactivateVcCompleteHandler;
    CM_MODIFY_CALL_QOS_HANDLER CmModifyCallQoSHandler;
    CO_OID_REQUEST_HANDLER CmOidRequestHandler;
    CO_OID_REQUEST_COMPLETE_HANDLER CmOidRequestCompleteHandler;
    CM_NOTIFY_CLOSE_AF_COMPLETE_HANDLER CmNotifyCloseAfCompleteHandler;
};
typedef NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS *PNDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS;
struct _CO_GET_CALL_INFORMATION {
    ULONG CallInfoType;
    ULONG CallInfoLength;
    PVOID CallInfoBuffer;
};
typedef CO_GET_CALL_INFORMATION *PCO_GET_CALL_INFORMATION;
struct _LINE_ADDRESS_CAPS {
    ULONG ulTotalSize;
    ULONG ulNeededSize;
    ULONG ulUsedSize;
    ULONG ulLineDeviceID;
    ULONG ulAddressSize;
    ULONG ulAddressOffset;
    ULONG ulDevSpecificSize;
    ULONG ulDevSpecificOffset;
    ULONG ulAddressSharing;
    ULONG ulAddressStates;
    ULONG ulCallInfoStates;
    ULONG ulCallerIDFlags;
    ULONG ulCalledIDFlags;
    ULONG ulConnectedIDFlags;
    ULONG ulRedirectionIDFlags;
    ULONG ulRedirectingIDFlags;
    ULONG ulCallStates;
    ULONG ulDialToneModes;
    ULONG ulBusyModes;
    ULONG ulSpecialInfo;
    ULONG ulDisconnectModes;
    ULONG ulMaxNumActiveCalls;
    ULONG ulMaxNumOnHoldCalls;
    ULONG ulMaxNumOnHoldPendingCalls;
    ULONG ulMaxNumConference;
    ULONG ulMaxNumTransConf;
    ULONG ulAddrCapFlags;
    ULONG ulCallFeatures;
    ULONG ulRemoveFromConfCaps;
    ULONG ulRemoveFromConfState;
    ULONG ulTransferModes;
    ULONG ulParkModes;
    ULONG ulForwardModes;
    ULONG ulMaxForwardEntries;
    ULONG ulMaxSpecificEntries;
    ULONG ulMinFwdNumRings;
    ULONG ulMaxFwdNumRings;
    ULONG ulMaxCallCompletions;
    ULONG ulCallCompletionConds;
    ULONG ulCallCompletionModes;
    ULONG ulNumCompletionMessages;
    ULONG ulCompletionMsgTextEntrySize;
    ULONG ulCompletionMsgTextSize;
    ULONG ulCompletionMsgTextOffset;
};
typedef LINE_ADDRESS_CAPS *PLINE_ADDRESS_CAPS;
struct _LINE_DIAL_PARAMS {
    ULONG ulDialPause;
    ULONG ulDialSpeed;
    ULONG ulDigitDuration;
    ULONG ulWaitForDialtone;
};
typedef LINE_DIAL_PARAMS *PLINE_DIAL_PARAMS;
struct _LINE_DEV_CAPS {
    ULONG ulTotalSize;
    ULONG ulNeededSize;
    ULONG ulUsedSize;
    ULONG ulProviderInfoSize;
    ULONG ulProviderInfoOffset;
    ULONG ulSwitchInfoSize;
    ULONG ulSwitchInfoOffset;
    ULONG ulPermanentLineID;
    ULONG ulLineNameSize;
    ULONG ulLineNameOffset;
    ULONG ulStringFormat;
    ULONG ulAddressModes;
    ULONG ulNumAddresses;
    ULONG ulBearerModes;
    ULONG ulMaxRate;
    ULONG ulMediaModes;
    ULONG ulGenerateToneModes;
    ULONG ulGenerateToneMaxNumFreq;
    ULONG ulGenerateDigitModes;
    ULONG ulMonitorToneMaxNumFreq;
    ULONG ulMonitorToneMaxNumEntries;
    ULONG ulMonitorDigitModes;
    ULONG ulGatherDigitsMinTimeout;
    ULONG ulGatherDigitsMaxTimeout;
    ULONG ulMedCtlDigitMaxListSize;
    ULONG ulMedCtlMediaMaxListSize;
    ULONG ulMedCtlToneMaxListSize;
    ULONG ulMedCtlCallStateMaxListSize;
    ULONG ulDevCapFlags;
    ULONG ulMaxNumActiveCalls;
    ULONG ulAnswerMode;
    ULONG ulRingModes;
    ULONG ulLineStates;
    ULONG ulUUIAcceptSize;
    ULONG ulUUIAnswerSize;
    ULONG ulUUIMakeCallSize;
    ULONG ulUUIDropSize;
    ULONG ulUUISendUserUserInfoSize;
    ULONG ulUUICallInfoSize;
    LINE_DIAL_PARAMS MinDialParams;
    LINE_DIAL_PARAMS MaxDialParams;
    LINE_DIAL_PARAMS DefaultDialParams;
    ULONG ulNumTerminals;
    ULONG ulTerminalCapsSize;
    ULONG ulTerminalCapsOffset;
    ULONG ulTerminalTextEntrySize;
    ULONG ulTerminalTextSize;
    ULONG ulTerminalTextOffset;
    ULONG ulDevSpecificSize;
    ULONG ulDevSpecificOffset;
};
typedef LINE_DEV_CAPS *PLINE_DEV_CAPS;
struct _CO_TAPI_CM_CAPS {
    ULONG ulCoTapiVersion;
    ULONG ulNumLines;
    ULONG ulFlags;
};
typedef CO_TAPI_CM_CAPS *PCO_TAPI_CM_CAPS;
struct _CO_TAPI_LINE_CAPS {
    ULONG ulLineID;
    ULONG ulFlags;
    LINE_DEV_CAPS LineDevCaps;
};
typedef CO_TAPI_LINE_CAPS *PCO_TAPI_LINE_CAPS;
struct _CO_TAPI_ADDRESS_CAPS {
    ULONG ulLineID;
    ULONG ulAddressID;
    ULONG ulFlags;
    LINE_ADDRESS_CAPS LineAddressCaps;
};
typedef CO_TAPI_ADDRESS_CAPS *PCO_TAPI_ADDRESS_CAPS;
struct _CO_TAPI_TRANSLATE_TAPI_CALLPARAMS {
    ULONG ulLineID;
    ULONG ulAddressID;
    ULONG ulFlags;
    NDIS_VAR_DATA_DESC DestAddress;
    NDIS_VAR_DATA_DESC LineCallParams;
    NDIS_VAR_DATA_DESC NdisCallParams;
};
typedef CO_TAPI_TRANSLATE_TAPI_CALLPARAMS *PCO_TAPI_TRANSLATE_TAPI_CALLPARAMS;
struct _CO_TAPI_TRANSLATE_NDIS_CALLPARAMS {
    ULONG ulFlags;
    NDIS_VAR_DATA_DESC NdisCallParams;
    NDIS_VAR_DATA_DESC LineCallInfo;
};
typedef CO_TAPI_TRANSLATE_NDIS_CALLPARAMS *PCO_TAPI_TRANSLATE_NDIS_CALLPARAMS;
struct _CO_TAPI_TRANSLATE_SAP {
    ULONG ulLineID;
    ULONG ulAddressID;
    ULONG ulMediaModes;
    ULONG Reserved;
    ULONG NumberOfSaps;
    NDIS_VAR_DATA_DESC NdisSapParams[1];
};
typedef CO_TAPI_TRANSLATE_SAP *PCO_TAPI_TRANSLATE_SAP;
struct _CO_TAPI_CALL_DIAGNOSTICS {
    ULONG ulOrigin;
    ULONG ulReason;
    NDIS_VAR_DATA_DESC DiagInfo;
};
typedef CO_TAPI_CALL_DIAGNOSTICS *PCO_TAPI_CALL_DIAGNOSTICS;
struct _CO_AF_TAPI_MAKE_CALL_PARAMETERS {
    ULONG ulLineID;
    ULONG ulAddressID;
    ULONG ulFlags;
    NDIS_VAR_DATA_DESC DestAddress;
    NDIS_VAR_DATA_DESC LineCallParams;
};
typedef CO_AF_TAPI_MAKE_CALL_PARAMETERS *PCO_AF_TAPI_MAKE_CALL_PARAMETERS;
struct _CO_AF_TAPI_INCOMING_CALL_PARAMETERS {
    ULONG ulLineID;
    ULONG ulAddressID;
    ULONG ulFlags;
    NDIS_VAR_DATA_DESC LineCallInfo;
};
typedef CO_AF_TAPI_INCOMING_CALL_PARAMETERS *PCO_AF_TAPI_INCOMING_CALL_PARAMETERS;
struct _CO_AF_TAPI_SAP {
    ULONG ulLineID;
    ULONG ulAddressID;
    ULONG ulMediaModes;
};
typedef CO_AF_TAPI_SAP *PCO_AF_TAPI_SAP;
struct _WAN_CO_LINKPARAMS {
    ULONG TransmitSpeed;
    ULONG ReceiveSpeed;
    ULONG SendWindow;
};
typedef WAN_CO_LINKPARAMS *PWAN_CO_LINKPARAMS;
struct _WAN_CO_MTULINKPARAMS {
    ULONG Version;
    ULONG TransmitSpeed;
    ULONG ReceiveSpeed;
    ULONG SendWindow;
    ULONG MTU;
};
typedef WAN_CO_MTULINKPARAMS *PWAN_CO_MTULINKPARAMS;
struct CONDIS_ALIGN(16) _NDIS_RESTART_ATTRIBUTES {
    PNDIS_RESTART_ATTRIBUTES Next;
    NDIS_OID Oid;
    ULONG DataLength;
    UCHAR Data[1];
};
struct _NDIS_OID_REQUEST {
    NDIS_OBJECT_HEADER Header;
    NDIS_REQUEST_TYPE RequestType;
    NDIS_PORT_NUMBER PortNumber;
    UINT Timeout;
    PVOID RequestId;
    NDIS_HANDLE RequestHandle;
    _REQUEST_DATA DATA;
    UCHAR NdisReserved[128];
    UCHAR MiniportReserved[16];
    UCHAR SourceReserved[16];
    UCHAR SupportedRevision;
    UCHAR Reserved1;
    USHORT Reserved2;
    NDIS_NIC_SWITCH_ID SwitchId;
    NDIS_NIC_SWITCH_VPORT_ID VPortId;
    ULONG Flags;
};
union CONDIS_ALIGN(16) _NET_BUFFER_HEADER {
    struct {
        NET_BUFFER *Next;
        MDL *CurrentMdl;
        ULONG CurrentMdlOffset;
        union {
            ULONG DataLength;
            SIZE_T stDataLength;
        };
        MDL *MdlChain;
        ULONG DataOffset;
    };
    SLIST_HEADER Link;
};
struct CONDIS_ALIGN(16) _NET_BUFFER {
    union CONDIS_ALIGN(16) {
        struct {
            NET_BUFFER *Next;
            MDL *CurrentMdl;
            ULONG CurrentMdlOffset;
            union {
                ULONG DataLength;
                SIZE_T stDataLength;
            };
            MDL *MdlChain;
            ULONG DataOffset;
        };
        SLIST_HEADER Link;
        NET_BUFFER_HEADER NetBufferHeader;
    };
    USHORT ChecksumBias;
    USHORT Reserved;
    NDIS_HANDLE NdisPoolHandle;
    PVOID NdisReserved[2];
    PVOID ProtocolReserved[6];
    PVOID MiniportReserved[4];
    PHYSICAL_ADDRESS DataPhysicalAddress;
    union {
        NET_BUFFER_SHARED_MEMORY *SharedMemoryInfo;
        SCATTER_GATHER_LIST *ScatterGatherList;
    };
};
struct CONDIS_ALIGN(16) _NET_BUFFER_LIST_CONTEXT {
    NET_BUFFER_LIST_CONTEXT *Next;
    USHORT Size;
    USHORT Offset;
    uint8_t _padding_0[4];
    UCHAR ContextData[];
};
union CONDIS_ALIGN(16) _NET_BUFFER_LIST_HEADER {
    struct {
        NET_BUFFER_LIST *Next;
        NET_BUFFER *FirstNetBuffer;
    };
    SLIST_HEADER Link;
};
struct CONDIS_ALIGN(16) _NET_BUFFER_LIST {
    union CONDIS_ALIGN(16) {
        struct {
            NET_BUFFER_LIST *Next;
            NET_BUFFER *FirstNetBuffer;
        };
        SLIST_HEADER Link;
        NET_BUFFER_LIST_HEADER NetBufferListHeader;
    };
    NET_BUFFER_LIST_CONTEXT *Context;
    NET_BUFFER_LIST *ParentNetBufferList;
    NDIS_HANDLE NdisPoolHandle;
    uint8_t _padding_0[8];
    PVOID NdisReserved[2];
    PVOID ProtocolReserved[4];
    PVOID MiniportReserved[2];
    PVOID Scratch;
    NDIS_HANDLE SourceHandle;
    ULONG NblFlags;
    LONG ChildRefCount;
    ULONG Flags;
    union {
        NDIS_STATUS Status;
        ULONG NdisReserved2;
    };
    PVOID NetBufferListInfo[27];
};
struct _NET_DEVICE_PNP_EVENT {
    NDIS_OBJECT_HEADER Header;
    NDIS_PORT_NUMBER PortNumber;
    NDIS_DEVICE_PNP_EVENT DevicePnPEvent;
    PVOID InformationBuffer;
    ULONG InformationBufferLength;
    UCHAR NdisReserved[16];
};
struct CONDIS_ALIGN(8) _CO_MEDIA_PARAMETERS {
    ULONG Flags;
    ULONG ReceivePriority;
    ULONG ReceiveSizeHint;
    uint8_t _padding_0[4];
    CO_SPECIFIC_PARAMETERS MediaSpecific;
};

/* Constants. */

#define NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1 ((uintptr_t)0x14)
#define NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1 ((uintptr_t)0xA4)
#define NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2 ((uintptr_t)0xAC)
#define NDIS_SIZEOF_OID_REQUEST_REVISION_1 ((uintptr_t)0xEC)
#define NDIS_SIZEOF_OID_REQUEST_REVISION_2 ((uintptr_t)0xF8)
#define NDIS_SIZEOF_STATUS_INDICATION_REVISION_1 ((uintptr_t)0x70)
#define NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1 ((uintptr_t)0x18)
#define NDIS_SIZEOF_BIND_PARAMETERS_REVISION_1 ((uintptr_t)0xF8)
#define NDIS_SIZEOF_BIND_PARAMETERS_REVISION_2 ((uintptr_t)0x100)
#define NDIS_SIZEOF_BIND_PARAMETERS_REVISION_3 ((uintptr_t)0x118)
#define NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4 ((uintptr_t)0x138)
#define NDIS_SIZEOF_PROTOCOL_CO_CHARACTERISTICS_REVISION_1 ((uintptr_t)0x28)
#define NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1 ((uintptr_t)0x78)
#define NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 ((uintptr_t)0x80)
#define NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1 ((uintptr_t)0x34)
#define NDIS_SIZEOF_MINIPORT_RESTART_PARAMETERS_REVISION_1 ((uintptr_t)0x14)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1 ((uintptr_t)0x1C)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2 ((uintptr_t)0x1C)
#define NDIS_SIZEOF_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1 ((uintptr_t)0x14)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1 ((uintptr_t)0xD8)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2 ((uintptr_t)0xE0)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_1 ((uintptr_t)0x10)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2 ((uintptr_t)0x30)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_3 ((uintptr_t)0x50)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_4 ((uintptr_t)0x60)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1 ((uintptr_t)0x28)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES_REVISION_1 ((uintptr_t)0x28)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES_REVISION_2 ((uintptr_t)0x38)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES_REVISION_3 ((uintptr_t)0x40)
#define NDIS_SIZEOF_MINIPORT_ADAPTER_NDK_ATTRIBUTES_REVISION_1 ((uintptr_t)0x10)
#define NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1 ((uintptr_t)0x2C)
#define NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1 ((uintptr_t)0x88)
#define NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 ((uintptr_t)0x98)
#define NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3 ((uintptr_t)0xA0)
#define NDIS_SIZEOF_MINIPORT_CO_CHARACTERISTICS_REVISION_1 ((uintptr_t)0x38)
#define NDIS_SIZEOF_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1 ((uintptr_t)0xA0)
#define NDIS_SIZEOF_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1 ((uintptr_t)0x88)
#define NDIS_MINIPORT_MAJOR_VERSION 6
#define NDIS_MINIPORT_MINOR_VERSION 0x57
#define NDIS_PROTOCOL_MAJOR_VERSION 6
#define NDIS_PROTOCOL_MINOR_VERSION 0x57
#define NDIS_OBJECT_TYPE_OID_REQUEST 0x96
#define NDIS_OBJECT_TYPE_DEFAULT 0x80
#define NDIS_OBJECT_TYPE_MINIPORT_INIT_PARAMETERS 0x81
#define NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION 0x83
#define NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT 0x84
#define NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES 0x85
#define NDIS_OBJECT_TYPE_BIND_PARAMETERS 0x86
#define NDIS_OBJECT_TYPE_OPEN_PARAMETERS 0x87
#define NDIS_OBJECT_TYPE_RSS_CAPABILITIES 0x88
#define NDIS_OBJECT_TYPE_RSS_PARAMETERS 0x89
#define NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS 0x8A
#define NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS 0x8B
#define NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS 0x8C
#define NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES 0x8D
#define NDIS_OBJECT_TYPE_CLIENT_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS 0x8E
#define NDIS_OBJECT_TYPE_PROVIDER_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS 0x8F
#define NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS 0x90
#define NDIS_OBJECT_TYPE_CO_MINIPORT_CHARACTERISTICS 0x91
#define NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS 0x92
#define NDIS_OBJECT_TYPE_CLIENT_CHIMNEY_OFFLOAD_CHARACTERISTICS 0x93
#define NDIS_OBJECT_TYPE_PROVIDER_CHIMNEY_OFFLOAD_CHARACTERISTICS 0x94
#define NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS 0x95
#define NDIS_OBJECT_TYPE_REQUEST_EX 0x96
#define NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS 0x97
#define NDIS_OBJECT_TYPE_STATUS_INDICATION 0x98
#define NDIS_OBJECT_TYPE_FILTER_ATTACH_PARAMETERS 0x99
#define NDIS_OBJECT_TYPE_FILTER_PAUSE_PARAMETERS 0x9A
#define NDIS_OBJECT_TYPE_FILTER_RESTART_PARAMETERS 0x9B
#define NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS 0x9C
#define NDIS_OBJECT_TYPE_PORT_STATE 0x9D
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES 0x9E
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES 0x9F
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES 0xA0
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES 0xA1
#define NDIS_OBJECT_TYPE_RESTART_GENERAL_ATTRIBUTES 0xA2
#define NDIS_OBJECT_TYPE_PROTOCOL_RESTART_PARAMETERS 0xA3
#define NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES 0xA4
#define NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS 0xA5
#define NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS 0xA6
#define NDIS_OBJECT_TYPE_OFFLOAD 0xA7
#define NDIS_OBJECT_TYPE_OFFLOAD_ENCAPSULATION 0xA8
#define NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT 0xA9
#define NDIS_OBJECT_TYPE_DRIVER_WRAPPER_OBJECT 0xAA
#define NDIS_OBJECT_TYPE_HD_SPLIT_ATTRIBUTES 0xAB
#define NDIS_OBJECT_TYPE_NSI_NETWORK_RW_STRUCT 0xAC
#define NDIS_OBJECT_TYPE_NSI_COMPARTMENT_RW_STRUCT 0xAD
#define NDIS_OBJECT_TYPE_NSI_INTERFACE_PERSIST_RW_STRUCT 0xAE
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES 0xAF
#define NDIS_OBJECT_TYPE_SHARED_MEMORY_PROVIDER_CHARACTERISTICS 0xB0
#define NDIS_OBJECT_TYPE_RSS_PROCESSOR_INFO 0xB1
#define NDIS_OBJECT_TYPE_NDK_PROVIDER_CHARACTERISTICS 0xB2
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_NDK_ATTRIBUTES 0xB3
#define NDIS_OBJECT_TYPE_MINIPORT_SS_CHARACTERISTICS 0xB4
#define NDIS_OBJECT_TYPE_QOS_CAPABILITIES 0xB5
#define NDIS_OBJECT_TYPE_QOS_PARAMETERS 0xB6
#define NDIS_OBJECT_TYPE_QOS_CLASSIFICATION_ELEMENT 0xB7
#define NDIS_OBJECT_TYPE_SWITCH_OPTIONAL_HANDLERS 0xB8
#define NDIS_OBJECT_TYPE_PD_TRANSMIT_QUEUE 0xBE
#define NDIS_OBJECT_TYPE_PD_RECEIVE_QUEUE 0xBF
#define NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES 0xC5
#define NDIS_OBJECT_TYPE_MINIPORT_DEVICE_POWER_NOTIFICATION 0xC6
#define NDIS_OBJECT_TYPE_RSS_PARAMETERS_V2 0xC8
#define NDIS_OBJECT_TYPE_RSS_SET_INDIRECTION_ENTRIES 0xC9
#define NDIS_OBJECT_TYPE_PCI_DEVICE_CUSTOM_PROPERTIES_REVISION_1 1
#define NDIS_OBJECT_TYPE_PCI_DEVICE_CUSTOM_PROPERTIES_REVISION_2 2
#define NDIS_SIZEOF_PCI_DEVICE_CUSTOM_PROPERTIES_REVISION_1 ((uintptr_t)0x28)
#define NDIS_SIZEOF_PCI_DEVICE_CUSTOM_PROPERTIES_REVISION_2 ((uintptr_t)0x34)
#define OID_CO_ADD_PVC 0xFE000001u
#define OID_CO_DELETE_PVC 0xFE000002u
#define OID_CO_GET_CALL_INFORMATION 0xFE000003u
#define OID_CO_ADD_ADDRESS 0xFE000004u
#define OID_CO_DELETE_ADDRESS 0xFE000005u
#define OID_CO_GET_ADDRESSES 0xFE000006u
#define OID_CO_ADDRESS_CHANGE 0xFE000007u
#define OID_CO_SIGNALING_ENABLED 0xFE000008u
#define OID_CO_SIGNALING_DISABLED 0xFE000009u
#define OID_CO_AF_CLOSE 0xFE00000Au
#define OID_CO_TAPI_CM_CAPS 0xFE001001u
#define OID_CO_TAPI_LINE_CAPS 0xFE001002u
#define OID_CO_TAPI_ADDRESS_CAPS 0xFE001003u
#define OID_CO_TAPI_TRANSLATE_TAPI_CALLPARAMS 0xFE001004u
#define OID_CO_TAPI_TRANSLATE_NDIS_CALLPARAMS 0xFE001005u
#define OID_CO_TAPI_TRANSLATE_TAPI_SAP 0xFE001006u
#define OID_CO_TAPI_GET_CALL_DIAGNOSTICS 0xFE001007u
#define OID_CO_TAPI_REPORT_DIGITS 0xFE001008u
#define OID_CO_TAPI_DONT_REPORT_DIGITS 0xFE001009u
#define NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA 1
#define NDIS_MAC_OPTION_RECEIVE_SERIALIZED 2
#define NDIS_MAC_OPTION_TRANSFERS_NOT_PEND 4
#define NDIS_MAC_OPTION_NO_LOOPBACK 8
#define NDIS_MAC_OPTION_FULL_DUPLEX 0x10
#define NDIS_MAC_OPTION_EOTX_INDICATION 0x20
#define NDIS_MAC_OPTION_8021P_PRIORITY 0x40
#define NDIS_MAC_OPTION_SUPPORTS_MAC_ADDRESS_OVERWRITE 0x80
#define NDIS_MAC_OPTION_RECEIVE_AT_DPC 0x100
#define NDIS_MAC_OPTION_8021Q_VLAN 0x200
#define NDIS_MAC_OPTION_RESERVED 0x80000000u
#define NDIS_PORT_AUTHENTICATION_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_PORT_AUTHENTICATION_PARAMETERS_REVISION_1 ((uintptr_t)0x14)
#define NDIS_PM_CAPABILITIES_REVISION_1 1
#define NDIS_PM_CAPABILITIES_REVISION_2 2
#define NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_1 ((uintptr_t)0x34)
#define NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2 ((uintptr_t)0x3C)
#define NDIS_PORT_CHARACTERISTICS_REVISION_1 1
#define NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1 ((uintptr_t)0x3C)
#define CO_ADDRESS_FAMILY_Q2931 ((NDIS_AF)1)
#define CO_ADDRESS_FAMILY_PSCHED ((NDIS_AF)2)
#define CO_ADDRESS_FAMILY_L2TP ((NDIS_AF)3)
#define CO_ADDRESS_FAMILY_IRDA ((NDIS_AF)4)
#define CO_ADDRESS_FAMILY_1394 ((NDIS_AF)5)
#define CO_ADDRESS_FAMILY_PPP ((NDIS_AF)6)
#define CO_ADDRESS_FAMILY_INFINIBAND ((NDIS_AF)7)
#define CO_ADDRESS_FAMILY_TAPI ((NDIS_AF)0x800)
#define CO_ADDRESS_FAMILY_TAPI_PROXY ((NDIS_AF)0x801)
#define CO_ADDRESS_FAMILY_PROXY 0x80000000u
#define NDIS_STATUS_ONLINE ((NDIS_STATUS)0x40010003)
#define NDIS_STATUS_RESET_START ((NDIS_STATUS)0x40010004)
#define NDIS_STATUS_RESET_END ((NDIS_STATUS)0x40010005)
#define NDIS_STATUS_RING_STATUS ((NDIS_STATUS)0x40010006)
#define NDIS_STATUS_CLOSED ((NDIS_STATUS)0x40010007)
#define NDIS_STATUS_WAN_LINE_UP ((NDIS_STATUS)0x40010008)
#define NDIS_STATUS_WAN_LINE_DOWN ((NDIS_STATUS)0x40010009)
#define NDIS_STATUS_WAN_FRAGMENT ((NDIS_STATUS)0x4001000A)
#define NDIS_STATUS_MEDIA_CONNECT ((NDIS_STATUS)0x4001000B)
#define NDIS_STATUS_MEDIA_DISCONNECT ((NDIS_STATUS)0x4001000C)
#define NDIS_STATUS_HARDWARE_LINE_UP ((NDIS_STATUS)0x4001000D)
#define NDIS_STATUS_HARDWARE_LINE_DOWN ((NDIS_STATUS)0x4001000E)
#define NDIS_STATUS_INTERFACE_UP ((NDIS_STATUS)0x4001000F)
#define NDIS_STATUS_INTERFACE_DOWN ((NDIS_STATUS)0x40010010)
#define NDIS_STATUS_MEDIA_BUSY ((NDIS_STATUS)0x40010011)
#define NDIS_STATUS_MEDIA_SPECIFIC_INDICATION ((NDIS_STATUS)0x40010012)
#define NDIS_STATUS_WW_INDICATION ((NDIS_STATUS)0x40010012)
#define NDIS_STATUS_LINK_SPEED_CHANGE ((NDIS_STATUS)0x40010013)
#define NDIS_STATUS_WAN_GET_STATS ((NDIS_STATUS)0x40010014)
#define NDIS_STATUS_WAN_CO_FRAGMENT ((NDIS_STATUS)0x40010015)
#define NDIS_STATUS_WAN_CO_LINKPARAMS ((NDIS_STATUS)0x40010016)
#define NDIS_STATUS_WAN_CO_MTULINKPARAMS ((NDIS_STATUS)0x40010025)
#define NDIS_STATUS_LINK_STATE ((NDIS_STATUS)0x40010017)
#define NDIS_STATUS_NETWORK_CHANGE ((NDIS_STATUS)0x40010018)
#define NDIS_STATUS_MEDIA_SPECIFIC_INDICATION_EX ((NDIS_STATUS)0x40010019)
#define NDIS_STATUS_PORT_STATE ((NDIS_STATUS)0x40010022)
#define NDIS_STATUS_OPER_STATUS ((NDIS_STATUS)0x40010023)
#define NDIS_STATUS_PACKET_FILTER ((NDIS_STATUS)0x40010024)
#define NDIS_STATUS_IP_OPER_STATUS ((NDIS_STATUS)0x40010026)
#define NDIS_STATUS_OFFLOAD_PAUSE ((NDIS_STATUS)0x40020001)
#define NDIS_STATUS_UPLOAD_ALL ((NDIS_STATUS)0x40020002)
#define NDIS_STATUS_OFFLOAD_RESUME ((NDIS_STATUS)0x40020003)
#define NDIS_STATUS_OFFLOAD_PARTIAL_SUCCESS ((NDIS_STATUS)0x40020004)
#define NDIS_STATUS_OFFLOAD_STATE_INVALID ((NDIS_STATUS)0x40020005)
#define NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG ((NDIS_STATUS)0x40020006)
#define NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES ((NDIS_STATUS)0x40020007)
#define NDIS_STATUS_OFFLOAD_ENCASPULATION_CHANGE ((NDIS_STATUS)0x40020008)
#define NDIS_STATUS_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES ((NDIS_STATUS)0x4002000B)
#define NDIS_STATUS_HD_SPLIT_CURRENT_CONFIG ((NDIS_STATUS)0x4002000C)
#define NDIS_STATUS_RECEIVE_QUEUE_STATE ((NDIS_STATUS)0x4002000D)
#define NDIS_STATUS_VF_CONFIG_STATE ((NDIS_STATUS)0x4002000E)
#define NDIS_STATUS_RECEIVE_FILTER_CURRENT_CAPABILITIES ((NDIS_STATUS)0x40020010)
#define NDIS_STATUS_RECEIVE_FILTER_HARDWARE_CAPABILITIES ((NDIS_STATUS)0x40020020)
#define NDIS_STATUS_RECEIVE_FILTER_QUEUE_PARAMETERS ((NDIS_STATUS)0x40020030)
#define NDIS_STATUS_NIC_SWITCH_CURRENT_CAPABILITIES ((NDIS_STATUS)0x40020040)
#define NDIS_STATUS_NIC_SWITCH_HARDWARE_CAPABILITIES ((NDIS_STATUS)0x40020050)
#define NDIS_STATUS_RECEIVE_FILTER_QUEUE_STATE_CHANGE ((NDIS_STATUS)0x40020070)
#define NDIS_STATUS_QOS_OPERATIONAL_PARAMETERS_CHANGE ((NDIS_STATUS)0x400200A0)
#define NDIS_STATUS_QOS_REMOTE_PARAMETERS_CHANGE ((NDIS_STATUS)0x400200A1)
#define NDIS_STATUS_ISOLATION_PARAMETERS_CHANGE ((NDIS_STATUS)0x40020080)
#define NDIS_STATUS_OFFLOAD_IM_RESERVED1 ((NDIS_STATUS)0x40020100)
#define NDIS_STATUS_OFFLOAD_IM_RESERVED2 ((NDIS_STATUS)0x40020101)
#define NDIS_STATUS_OFFLOAD_IM_RESERVED3 ((NDIS_STATUS)0x40020102)
#define NDIS_STATUS_PD_CURRENT_CONFIG ((NDIS_STATUS)0x40020200)
#define NDIS_STATUS_GFT_OFFLOAD_CURRENT_CAPABILITIES ((NDIS_STATUS)0x40020300)
#define NDIS_STATUS_GFT_OFFLOAD_HARDWARE_CAPABILITIES ((NDIS_STATUS)0x40020301)
#define NDIS_STATUS_GFT_OFFLOAD_CURRENT_CONFIG ((NDIS_STATUS)0x40020302)
#define NDIS_STATUS_GFT_COUNTERS_UPDATED ((NDIS_STATUS)0x40020303)
#define NDIS_STATUS_QOS_OFFLOAD_CURRENT_CAPABILITIES ((NDIS_STATUS)0x40020400)
#define NDIS_STATUS_QOS_OFFLOAD_HARDWARE_CAPABILITIES ((NDIS_STATUS)0x40020401)
#define NDIS_STATUS_CURRENT_MAC_ADDRESS_CHANGE ((NDIS_STATUS)0x400200B0)
#define NDIS_STATUS_L2_MTU_SIZE_CHANGE ((NDIS_STATUS)0x400200B1)
#define NDIS_STATUS_TIMESTAMP_CAPABILITY ((NDIS_STATUS)0x40051000)
#define NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG ((NDIS_STATUS)0x40051001)
#define NDIS_STATUS_DOT11_SCAN_CONFIRM ((NDIS_STATUS)0x40030000)
#define NDIS_STATUS_DOT11_MPDU_MAX_LENGTH_CHANGED ((NDIS_STATUS)0x40030001)
#define NDIS_STATUS_DOT11_ASSOCIATION_START ((NDIS_STATUS)0x40030002)
#define NDIS_STATUS_DOT11_ASSOCIATION_COMPLETION ((NDIS_STATUS)0x40030003)
#define NDIS_STATUS_DOT11_CONNECTION_START ((NDIS_STATUS)0x40030004)
#define NDIS_STATUS_DOT11_CONNECTION_COMPLETION ((NDIS_STATUS)0x40030005)
#define NDIS_STATUS_DOT11_ROAMING_START ((NDIS_STATUS)0x40030006)
#define NDIS_STATUS_DOT11_ROAMING_COMPLETION ((NDIS_STATUS)0x40030007)
#define NDIS_STATUS_DOT11_DISASSOCIATION ((NDIS_STATUS)0x40030008)
#define NDIS_STATUS_DOT11_TKIPMIC_FAILURE ((NDIS_STATUS)0x40030009)
#define NDIS_STATUS_DOT11_PMKID_CANDIDATE_LIST ((NDIS_STATUS)0x4003000A)
#define NDIS_STATUS_DOT11_PHY_STATE_CHANGED ((NDIS_STATUS)0x4003000B)
#define NDIS_STATUS_DOT11_LINK_QUALITY ((NDIS_STATUS)0x4003000C)
#define NDIS_STATUS_DOT11_INCOMING_ASSOC_STARTED ((NDIS_STATUS)0x4003000D)
#define NDIS_STATUS_DOT11_INCOMING_ASSOC_REQUEST_RECEIVED ((NDIS_STATUS)0x4003000E)
#define NDIS_STATUS_DOT11_INCOMING_ASSOC_COMPLETION ((NDIS_STATUS)0x4003000F)
#define NDIS_STATUS_DOT11_STOP_AP ((NDIS_STATUS)0x40030010)
#define NDIS_STATUS_DOT11_PHY_FREQUENCY_ADOPTED ((NDIS_STATUS)0x40030011)
#define NDIS_STATUS_DOT11_CAN_SUSTAIN_AP ((NDIS_STATUS)0x40030012)
#define NDIS_STATUS_DOT11_WFD_DISCOVER_COMPLETE ((NDIS_STATUS)0x40030013)
#define NDIS_STATUS_DOT11_WFD_GO_NEGOTIATION_REQUEST_SEND_COMPLETE ((NDIS_STATUS)0x40030014)
#define NDIS_STATUS_DOT11_WFD_RECEIVED_GO_NEGOTIATION_REQUEST ((NDIS_STATUS)0x40030015)
#define NDIS_STATUS_DOT11_WFD_GO_NEGOTIATION_RESPONSE_SEND_COMPLETE ((NDIS_STATUS)0x40030016)
#define NDIS_STATUS_DOT11_WFD_RECEIVED_GO_NEGOTIATION_RESPONSE ((NDIS_STATUS)0x40030017)
#define NDIS_STATUS_DOT11_WFD_GO_NEGOTIATION_CONFIRMATION_SEND_COMPLETE ((NDIS_STATUS)0x40030018)
#define NDIS_STATUS_DOT11_WFD_RECEIVED_GO_NEGOTIATION_CONFIRMATION ((NDIS_STATUS)0x40030019)
#define NDIS_STATUS_DOT11_WFD_INVITATION_REQUEST_SEND_COMPLETE ((NDIS_STATUS)0x4003001A)
#define NDIS_STATUS_DOT11_WFD_RECEIVED_INVITATION_REQUEST ((NDIS_STATUS)0x4003001B)
#define NDIS_STATUS_DOT11_WFD_INVITATION_RESPONSE_SEND_COMPLETE ((NDIS_STATUS)0x4003001C)
#define NDIS_STATUS_DOT11_WFD_RECEIVED_INVITATION_RESPONSE ((NDIS_STATUS)0x4003001D)
#define NDIS_STATUS_DOT11_WFD_PROVISION_DISCOVERY_REQUEST_SEND_COMPLETE ((NDIS_STATUS)0x4003001E)
#define NDIS_STATUS_DOT11_WFD_RECEIVED_PROVISION_DISCOVERY_REQUEST ((NDIS_STATUS)0x4003001F)
#define NDIS_STATUS_DOT11_WFD_PROVISION_DISCOVERY_RESPONSE_SEND_COMPLETE ((NDIS_STATUS)0x40030020)
#define NDIS_STATUS_DOT11_WFD_RECEIVED_PROVISION_DISCOVERY_RESPONSE ((NDIS_STATUS)0x40030021)
#define NDIS_STATUS_DOT11_WFD_GROUP_OPERATING_CHANNEL ((NDIS_STATUS)0x40030022)
#define NDIS_STATUS_DOT11_OFFLOAD_NETWORK_STATUS_CHANGED ((NDIS_STATUS)0x40030023)
#define NDIS_STATUS_DOT11_MANUFACTURING_CALLBACK ((NDIS_STATUS)0x40030024)
#define NDIS_STATUS_DOT11_ANQP_QUERY_COMPLETE ((NDIS_STATUS)0x40030025)
#define NDIS_STATUS_DOT11_WFD_VISIBLE_DEVICE_LIST_UPDATED ((NDIS_STATUS)0x40030026)
#define NDIS_STATUS_DOT11_WFD_OPERATING_CHANNEL_ATTRIBUTES_UPDATED ((NDIS_STATUS)0x40030027)
#define NDIS_STATUS_DOT11_WFD_GROUP_OPERATING_CHANNEL_UPDATE ((NDIS_STATUS)0x40030028)
#define NDIS_STATUS_DOT11_FT_TRANSITION_PARAMETERS_NEEDED ((NDIS_STATUS)0x40030029)
#define NDIS_STATUS_DOT11_WDI_RESERVED_4 ((NDIS_STATUS)0x4003002A)
#define NDIS_STATUS_DOT11_WDI_RESERVED_1 ((NDIS_STATUS)0x4003002B)
#define NDIS_STATUS_DOT11_WDI_RESERVED_2 ((NDIS_STATUS)0x4003002C)
#define NDIS_STATUS_DOT11_WDI_RESERVED_3 ((NDIS_STATUS)0x4003002D)
#define NDIS_STATUS_DOT11_WDI_RESERVED_5 ((NDIS_STATUS)0x4003002E)
#define NDIS_STATUS_DOT11_WDI_RESERVED_6 ((NDIS_STATUS)0x4003002F)
#define NDIS_STATUS_DOT11_WDI_RESERVED_7 ((NDIS_STATUS)0x40030030)
#define NDIS_STATUS_DOT11_WDI_RESERVED_8 ((NDIS_STATUS)0x40030031)
#define NDIS_STATUS_DOT11_WDI_RESERVED_9 ((NDIS_STATUS)0x40030032)
#define NDIS_STATUS_DOT11_WDI_RESERVED_10 ((NDIS_STATUS)0x40030033)
#define NDIS_STATUS_DOT11_WDI_RESERVED_11 ((NDIS_STATUS)0x40030034)
#define NDIS_STATUS_DOT11_WDI_RESERVED_12 ((NDIS_STATUS)0x40030035)
#define NDIS_STATUS_WWAN_DEVICE_CAPS ((NDIS_STATUS)0x40041000)
#define NDIS_STATUS_WWAN_READY_INFO ((NDIS_STATUS)0x40041001)
#define NDIS_STATUS_WWAN_RADIO_STATE ((NDIS_STATUS)0x40041002)
#define NDIS_STATUS_WWAN_PIN_INFO ((NDIS_STATUS)0x40041003)
#define NDIS_STATUS_WWAN_PIN_LIST ((NDIS_STATUS)0x40041004)
#define NDIS_STATUS_WWAN_HOME_PROVIDER ((NDIS_STATUS)0x40041005)
#define NDIS_STATUS_WWAN_PREFERRED_PROVIDERS ((NDIS_STATUS)0x40041006)
#define NDIS_STATUS_WWAN_VISIBLE_PROVIDERS ((NDIS_STATUS)0x40041007)
#define NDIS_STATUS_WWAN_REGISTER_STATE ((NDIS_STATUS)0x40041008)
#define NDIS_STATUS_WWAN_PACKET_SERVICE ((NDIS_STATUS)0x40041009)
#define NDIS_STATUS_WWAN_SIGNAL_STATE ((NDIS_STATUS)0x4004100A)
#define NDIS_STATUS_WWAN_CONTEXT_STATE ((NDIS_STATUS)0x4004100B)
#define NDIS_STATUS_WWAN_PROVISIONED_CONTEXTS ((NDIS_STATUS)0x4004100C)
#define NDIS_STATUS_WWAN_SERVICE_ACTIVATION ((NDIS_STATUS)0x4004100D)
#define NDIS_STATUS_WWAN_SMS_CONFIGURATION ((NDIS_STATUS)0x4004100E)
#define NDIS_STATUS_WWAN_SMS_RECEIVE ((NDIS_STATUS)0x4004100F)
#define NDIS_STATUS_WWAN_SMS_SEND ((NDIS_STATUS)0x40041010)
#define NDIS_STATUS_WWAN_SMS_DELETE ((NDIS_STATUS)0x40041011)
#define NDIS_STATUS_WWAN_SMS_STATUS ((NDIS_STATUS)0x40041012)
#define NDIS_STATUS_WWAN_DNS_ADDRESS ((NDIS_STATUS)0x40041013)
#define NDIS_STATUS_WWAN_VENDOR_SPECIFIC ((NDIS_STATUS)0x40043000)
#define NDIS_STATUS_WWAN_SET_HOME_PROVIDER_COMPLETE ((NDIS_STATUS)0x40041014)
#define NDIS_STATUS_WWAN_AUTH_RESPONSE ((NDIS_STATUS)0x40041015)
#define NDIS_STATUS_WWAN_SUPPORTED_DEVICE_SERVICES ((NDIS_STATUS)0x40041016)
#define NDIS_STATUS_WWAN_DEVICE_SERVICE_SUBSCRIPTION ((NDIS_STATUS)0x40041017)
#define NDIS_STATUS_WWAN_DEVICE_SERVICE_RESPONSE ((NDIS_STATUS)0x40041018)
#define NDIS_STATUS_WWAN_DEVICE_SERVICE_EVENT ((NDIS_STATUS)0x40041019)
#define NDIS_STATUS_WWAN_USSD ((NDIS_STATUS)0x40041020)
#define NDIS_STATUS_WWAN_DEVICE_SERVICE_SUPPORTED_COMMANDS ((NDIS_STATUS)0x40041021)
#define NDIS_STATUS_WWAN_DEVICE_SERVICE_SESSION ((NDIS_STATUS)0x40041022)
#define NDIS_STATUS_WWAN_DEVICE_SERVICE_SESSION_WRITE_COMPLETE ((NDIS_STATUS)0x40041023)
#define NDIS_STATUS_WWAN_DEVICE_SERVICE_SESSION_READ ((NDIS_STATUS)0x40041024)
#define NDIS_STATUS_WWAN_PREFERRED_MULTICARRIER_PROVIDERS ((NDIS_STATUS)0x40041025)
#define NDIS_STATUS_WWAN_RESERVED_1 ((NDIS_STATUS)0x40041026)
#define NDIS_STATUS_WWAN_RESERVED_2 ((NDIS_STATUS)0x40041027)
#define NDIS_STATUS_WWAN_IP_ADDRESS_STATE ((NDIS_STATUS)0x40041028)
#define NDIS_STATUS_WWAN_RESERVED_3 ((NDIS_STATUS)0x40041029)
#define NDIS_STATUS_WWAN_UICC_FILE_STATUS ((NDIS_STATUS)0x4004102A)
#define NDIS_STATUS_WWAN_UICC_RESPONSE ((NDIS_STATUS)0x4004102B)
#define NDIS_STATUS_WWAN_SYS_CAPS_INFO ((NDIS_STATUS)0x4004102C)
#define NDIS_STATUS_WWAN_DEVICE_SLOT_MAPPING_INFO ((NDIS_STATUS)0x4004102D)
#define NDIS_STATUS_WWAN_SLOT_INFO ((NDIS_STATUS)0x4004102E)
#define NDIS_STATUS_WWAN_DEVICE_BINDINGS_INFO ((NDIS_STATUS)0x4004102F)
#define NDIS_STATUS_WWAN_IMS_VOICE_STATE ((NDIS_STATUS)0x40041030)
#define NDIS_STATUS_WWAN_LOCATION_STATE_INFO ((NDIS_STATUS)0x40041031)
#define NDIS_STATUS_WWAN_NITZ_INFO ((NDIS_STATUS)0x40041032)
#define NDIS_STATUS_WWAN_PRESHUTDOWN_STATE ((NDIS_STATUS)0x40041033)
#define NDIS_STATUS_WWAN_ATR_INFO ((NDIS_STATUS)0x40041034)
#define NDIS_STATUS_WWAN_UICC_OPEN_CHANNEL_INFO ((NDIS_STATUS)0x40041035)
#define NDIS_STATUS_WWAN_UICC_CLOSE_CHANNEL_INFO ((NDIS_STATUS)0x40041036)
#define NDIS_STATUS_WWAN_UICC_APDU_INFO ((NDIS_STATUS)0x40041037)
#define NDIS_STATUS_WWAN_UICC_TERMINAL_CAPABILITY_INFO ((NDIS_STATUS)0x40041038)
#define NDIS_STATUS_WWAN_PS_MEDIA_CONFIG_STATE ((NDIS_STATUS)0x40041039)
#define NDIS_STATUS_WWAN_SAR_CONFIG ((NDIS_STATUS)0x4004103A)
#define NDIS_STATUS_WWAN_SAR_TRANSMISSION_STATUS ((NDIS_STATUS)0x4004103B)
#define NDIS_STATUS_WWAN_NETWORK_BLACKLIST ((NDIS_STATUS)0x4004103C)
#define NDIS_STATUS_WWAN_LTE_ATTACH_CONFIG ((NDIS_STATUS)0x4004103D)
#define NDIS_STATUS_WWAN_LTE_ATTACH_STATUS ((NDIS_STATUS)0x4004103E)
#define NDIS_STATUS_WWAN_DEVICE_CAPS_EX ((NDIS_STATUS)0x4004103F)
#define NDIS_STATUS_WWAN_MODEM_CONFIG_INFO ((NDIS_STATUS)0x40041040)
#define NDIS_STATUS_WWAN_PCO_STATUS ((NDIS_STATUS)0x40041041)
#define NDIS_STATUS_WWAN_UICC_RESET_INFO ((NDIS_STATUS)0x40041042)
#define NDIS_STATUS_WWAN_DEVICE_RESET_STATUS ((NDIS_STATUS)0x40041043)
#define NDIS_STATUS_WWAN_BASE_STATIONS_INFO ((NDIS_STATUS)0x40041044)
#define NDIS_STATUS_WWAN_MPDP_STATE ((NDIS_STATUS)0x40041045)
#define NDIS_STATUS_WWAN_MPDP_LIST ((NDIS_STATUS)0x40041046)
#define NDIS_STATUS_WWAN_UICC_APP_LIST ((NDIS_STATUS)0x40041047)
#define NDIS_STATUS_WWAN_MODEM_LOGGING_CONFIG ((NDIS_STATUS)0x40041048)
#define NDIS_STATUS_WWAN_UICC_RECORD_RESPONSE ((NDIS_STATUS)0x40041049)
#define NDIS_STATUS_WWAN_UICC_BINARY_RESPONSE ((NDIS_STATUS)0x4004104A)
#define NDIS_STATUS_WWAN_REGISTER_PARAMS_STATE ((NDIS_STATUS)0x4004104B)
#define NDIS_STATUS_WWAN_NETWORK_PARAMS_STATE ((NDIS_STATUS)0x4004104C)
#define NDIS_STATUS_WWAN_IO_PAUSE ((NDIS_STATUS)0x4004104D)
#define NDIS_STATUS_WWAN_IO_RESUME ((NDIS_STATUS)0x4004104E)
#define NDIS_STATUS_WWAN_UE_POLICY_STATE ((NDIS_STATUS)0x4004104F)
#define NDIS_STATUS_PM_WOL_PATTERN_REJECTED ((NDIS_STATUS)0x40030051)
#define NDIS_STATUS_PM_OFFLOAD_REJECTED ((NDIS_STATUS)0x40030052)
#define NDIS_STATUS_PM_CAPABILITIES_CHANGE ((NDIS_STATUS)0x40030053)
#define NDIS_STATUS_PM_HARDWARE_CAPABILITIES ((NDIS_STATUS)0x40030054)
#define NDIS_STATUS_PM_WAKE_REASON ((NDIS_STATUS)0x40030055)
#define NDIS_STATUS_SUCCESS ((NDIS_STATUS)0)
#define NDIS_STATUS_PENDING ((NDIS_STATUS)0x103)
#define NDIS_STATUS_ALREADY_COMPLETE ((NDIS_STATUS)0xFF)
#define NDIS_STATUS_NOT_RECOGNIZED ((NDIS_STATUS)0x10001)
#define NDIS_STATUS_NOT_COPIED ((NDIS_STATUS)0x10002)
#define NDIS_STATUS_NOT_ACCEPTED ((NDIS_STATUS)0x10003)
#define NDIS_STATUS_CALL_ACTIVE ((NDIS_STATUS)0x10007)
#define NDIS_STATUS_INDICATION_REQUIRED ((NDIS_STATUS)0x40230001)
#define NDIS_STATUS_NOT_RESETTABLE ((NDIS_STATUS)0x80010001ull)
#define NDIS_STATUS_SOFT_ERRORS ((NDIS_STATUS)0x80010003ull)
#define NDIS_STATUS_HARD_ERRORS ((NDIS_STATUS)0x80010004ull)
#define NDIS_STATUS_BUFFER_OVERFLOW ((NDIS_STATUS)0x80000005ull)
#define NDIS_STATUS_FAILURE ((NDIS_STATUS)0xC0000001ull)
#define NDIS_STATUS_RESOURCES ((NDIS_STATUS)0xC000009Aull)
#define NDIS_STATUS_CLOSING ((NDIS_STATUS)0xC0010002ull)
#define NDIS_STATUS_BAD_VERSION ((NDIS_STATUS)0xC0010004ull)
#define NDIS_STATUS_BAD_CHARACTERISTICS ((NDIS_STATUS)0xC0010005ull)
#define NDIS_STATUS_ADAPTER_NOT_FOUND ((NDIS_STATUS)0xC0010006ull)
#define NDIS_STATUS_OPEN_FAILED ((NDIS_STATUS)0xC0010007ull)
#define NDIS_STATUS_DEVICE_FAILED ((NDIS_STATUS)0xC0010008ull)
#define NDIS_STATUS_MULTICAST_FULL ((NDIS_STATUS)0xC0010009ull)
#define NDIS_STATUS_MULTICAST_EXISTS ((NDIS_STATUS)0xC001000Aull)
#define NDIS_STATUS_MULTICAST_NOT_FOUND ((NDIS_STATUS)0xC001000Bull)
#define NDIS_STATUS_REQUEST_ABORTED ((NDIS_STATUS)0xC001000Cull)
#define NDIS_STATUS_RESET_IN_PROGRESS ((NDIS_STATUS)0xC001000Dull)
#define NDIS_STATUS_CLOSING_INDICATING ((NDIS_STATUS)0xC001000Eull)
#define NDIS_STATUS_NOT_SUPPORTED ((NDIS_STATUS)0xC00000BBull)
#define NDIS_STATUS_INVALID_PACKET ((NDIS_STATUS)0xC001000Full)
#define NDIS_STATUS_OPEN_LIST_FULL ((NDIS_STATUS)0xC0010010ull)
#define NDIS_STATUS_ADAPTER_NOT_READY ((NDIS_STATUS)0xC0010011ull)
#define NDIS_STATUS_ADAPTER_NOT_OPEN ((NDIS_STATUS)0xC0010012ull)
#define NDIS_STATUS_NOT_INDICATING ((NDIS_STATUS)0xC0010013ull)
#define NDIS_STATUS_INVALID_LENGTH ((NDIS_STATUS)0xC0010014ull)
#define NDIS_STATUS_INVALID_DATA ((NDIS_STATUS)0xC0010015ull)
#define NDIS_STATUS_BUFFER_TOO_SHORT ((NDIS_STATUS)0xC0010016ull)
#define NDIS_STATUS_INVALID_OID ((NDIS_STATUS)0xC0010017ull)
#define NDIS_STATUS_ADAPTER_REMOVED ((NDIS_STATUS)0xC0010018ull)
#define NDIS_STATUS_UNSUPPORTED_MEDIA ((NDIS_STATUS)0xC0010019ull)
#define NDIS_STATUS_GROUP_ADDRESS_IN_USE ((NDIS_STATUS)0xC001001Aull)
#define NDIS_STATUS_FILE_NOT_FOUND ((NDIS_STATUS)0xC001001Bull)
#define NDIS_STATUS_ERROR_READING_FILE ((NDIS_STATUS)0xC001001Cull)
#define NDIS_STATUS_ALREADY_MAPPED ((NDIS_STATUS)0xC001001Dull)
#define NDIS_STATUS_RESOURCE_CONFLICT ((NDIS_STATUS)0xC001001Eull)
#define NDIS_STATUS_NO_CABLE ((NDIS_STATUS)0xC001001Full)
#define NDIS_STATUS_INVALID_DEVICE_REQUEST ((NDIS_STATUS)0xC0000010ull)
#define NDIS_STATUS_NETWORK_UNREACHABLE ((NDIS_STATUS)0xC000023Cull)
#define NDIS_STATUS_DATA_NOT_ACCEPTED ((NDIS_STATUS)0xC000021Bull)
#define NDIS_STATUS_SEND_ABORTED ((NDIS_STATUS)0xC023000Cull)
#define NDIS_STATUS_PAUSED ((NDIS_STATUS)0xC023002Aull)
#define NDIS_STATUS_INTERFACE_NOT_FOUND ((NDIS_STATUS)0xC023002Bull)
#define NDIS_STATUS_INVALID_PARAMETER ((NDIS_STATUS)0xC000000Dull)
#define NDIS_STATUS_UNSUPPORTED_REVISION ((NDIS_STATUS)0xC023002Cull)
#define NDIS_STATUS_INVALID_PORT ((NDIS_STATUS)0xC023002Dull)
#define NDIS_STATUS_INVALID_PORT_STATE ((NDIS_STATUS)0xC023002Eull)
#define NDIS_STATUS_INVALID_STATE ((NDIS_STATUS)0xC0000184ull)
#define NDIS_STATUS_MEDIA_DISCONNECTED ((NDIS_STATUS)0xC023001Full)
#define NDIS_STATUS_LOW_POWER_STATE ((NDIS_STATUS)0xC023002Full)
#define NDIS_STATUS_NO_QUEUES ((NDIS_STATUS)0xC0230031ull)
#define NDIS_STATUS_INVALID_SAP ((NDIS_STATUS)0xC0010020ull)
#define NDIS_STATUS_SAP_IN_USE ((NDIS_STATUS)0xC0010021ull)
#define NDIS_STATUS_INVALID_ADDRESS ((NDIS_STATUS)0xC0010022ull)
#define NDIS_STATUS_VC_NOT_ACTIVATED ((NDIS_STATUS)0xC0010023ull)
#define NDIS_STATUS_DEST_OUT_OF_ORDER ((NDIS_STATUS)0xC0010024ull)
#define NDIS_STATUS_VC_NOT_AVAILABLE ((NDIS_STATUS)0xC0010025ull)
#define NDIS_STATUS_CELLRATE_NOT_AVAILABLE ((NDIS_STATUS)0xC0010026ull)
#define NDIS_STATUS_INCOMPATIBLE_QOS ((NDIS_STATUS)0xC0010027ull)
#define NDIS_STATUS_INCOMPATABLE_QOS ((NDIS_STATUS)0xC0010027ull)
#define NDIS_STATUS_AAL_PARAMS_UNSUPPORTED ((NDIS_STATUS)0xC0010028ull)
#define NDIS_STATUS_NO_ROUTE_TO_DESTINATION ((NDIS_STATUS)0xC0010029ull)
#define NDIS_STATUS_TOKEN_RING_OPEN_ERROR ((NDIS_STATUS)0xC0011000ull)
#define NDIS_STATUS_DOT11_AUTO_CONFIG_ENABLED ((NDIS_STATUS)0xC0232000ull)
#define NDIS_STATUS_DOT11_MEDIA_IN_USE ((NDIS_STATUS)0xC0232001ull)
#define NDIS_STATUS_DOT11_POWER_STATE_INVALID ((NDIS_STATUS)0xC0232002ull)
#define NDIS_STATUS_PM_WOL_PATTERN_LIST_FULL ((NDIS_STATUS)0xC0232003ull)
#define NDIS_STATUS_PM_PROTOCOL_OFFLOAD_LIST_FULL ((NDIS_STATUS)0xC0232004ull)
#define NDIS_STATUS_BUSY ((NDIS_STATUS)0x80000011ull)
#define NDIS_STATUS_REINIT_REQUIRED ((NDIS_STATUS)0xC0230030ull)
#define NDIS_STATUS_DOT11_AP_CHANNEL_CURRENTLY_NOT_AVAILABLE ((NDIS_STATUS)0xC0232005ull)
#define NDIS_STATUS_DOT11_AP_BAND_CURRENTLY_NOT_AVAILABLE ((NDIS_STATUS)0xC0232006ull)
#define NDIS_STATUS_DOT11_AP_CHANNEL_NOT_ALLOWED ((NDIS_STATUS)0xC0232007ull)
#define NDIS_STATUS_DOT11_AP_BAND_NOT_ALLOWED ((NDIS_STATUS)0xC0232008ull)
#define NDIS_STATUS_UPLOAD_IN_PROGRESS ((NDIS_STATUS)0xC0231001ull)
#define NDIS_STATUS_REQUEST_UPLOAD ((NDIS_STATUS)0xC0231002ull)
#define NDIS_STATUS_UPLOAD_REQUESTED ((NDIS_STATUS)0xC0231003ull)
#define NDIS_STATUS_OFFLOAD_TCP_ENTRIES ((NDIS_STATUS)0xC0231004ull)
#define NDIS_STATUS_OFFLOAD_PATH_ENTRIES ((NDIS_STATUS)0xC0231005ull)
#define NDIS_STATUS_OFFLOAD_NEIGHBOR_ENTRIES ((NDIS_STATUS)0xC0231006ull)
#define NDIS_STATUS_OFFLOAD_IP_ADDRESS_ENTRIES ((NDIS_STATUS)0xC0231007ull)
#define NDIS_STATUS_OFFLOAD_HW_ADDRESS_ENTRIES ((NDIS_STATUS)0xC0231008ull)
#define NDIS_STATUS_OFFLOAD_VLAN_ENTRIES ((NDIS_STATUS)0xC0231009ull)
#define NDIS_STATUS_OFFLOAD_TCP_XMIT_BUFFER ((NDIS_STATUS)0xC023100Aull)
#define NDIS_STATUS_OFFLOAD_TCP_RCV_BUFFER ((NDIS_STATUS)0xC023100Bull)
#define NDIS_STATUS_OFFLOAD_TCP_RCV_WINDOW ((NDIS_STATUS)0xC023100Cull)
#define NDIS_STATUS_OFFLOAD_VLAN_MISMATCH ((NDIS_STATUS)0xC023100Dull)
#define NDIS_STATUS_OFFLOAD_DATA_NOT_ACCEPTED ((NDIS_STATUS)0xC023100Eull)
#define NDIS_STATUS_OFFLOAD_POLICY ((NDIS_STATUS)0xC023100Full)
#define NDIS_STATUS_OFFLOAD_DATA_PARTIALLY_ACCEPTED ((NDIS_STATUS)0xC0231010ull)
#define NDIS_STATUS_OFFLOAD_REQUEST_RESET ((NDIS_STATUS)0xC0231011ull)
#define NDIS_STATUS_OFFLOAD_CONNECTION_REJECTED ((NDIS_STATUS)0xC0231012ull)
#define NDIS_STATUS_SWITCH_PORT_REMOVE_VF ((NDIS_STATUS)0xC0241001ull)
#define NDIS_STATUS_SWITCH_NIC_STATUS ((NDIS_STATUS)0xC0241002ull)
#define NDIS_CONFIGURATION_OBJECT_REVISION_1 1
#define NET_PNP_EVENT_NOTIFICATION_REVISION_1 1
#define NET_PNP_EVENT_NOTIFICATION_REVISION_2 2
#define NDIS_OID_REQUEST_REVISION_1 1
#define NDIS_OID_REQUEST_REVISION_2 2
#define NDIS_STATUS_INDICATION_FLAGS_NDIS_RESERVED 0xFFF
#define NDIS_STATUS_INDICATION_FLAGS_MEDIA_CONNECT_TO_CONNECT 0x1000
#define NDIS_STATUS_INDICATION_REVISION_1 1
#define NDIS_TIMER_CHARACTERISTICS_REVISION_1 1
#define NDIS_PAUSE_NDIS_INTERNAL 1
#define NDIS_PAUSE_LOW_POWER 2
#define NDIS_PAUSE_BIND_PROTOCOL 4
#define NDIS_PAUSE_UNBIND_PROTOCOL 8
#define NDIS_PAUSE_ATTACH_FILTER 0x10
#define NDIS_PAUSE_DETACH_FILTER 0x20
#define NDIS_PAUSE_FILTER_RESTART_STACK 0x40
#define NDIS_PAUSE_MINIPORT_DEVICE_REMOVE 0x80
#define NDIS_OBJECT_TYPE_DRIVER_WRAPPER_REVISION_1 1
#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 1
#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2 2
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 ((uintptr_t)0x10)
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2 ((uintptr_t)0x14)
#define NET_BUFFER_POOL_PARAMETERS_REVISION_1 1
#define NET_BUFFER_POOL_PARAMETERS_REVISION_2 2
#define NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1 ((uintptr_t)0xC)
#define NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_2 ((uintptr_t)0x10)
#define NDIS_SEND_FLAGS_DISPATCH_LEVEL 1
#define NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK 2
#define NDIS_SEND_FLAGS_SINGLE_QUEUE 4
#define NDIS_SEND_FLAGS_SWITCH_DESTINATION_GROUP 0x10
#define NDIS_SEND_FLAGS_SWITCH_SINGLE_SOURCE 0x20
#define NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL 1
#define NDIS_SEND_COMPLETE_FLAGS_SINGLE_QUEUE 2
#define NDIS_SEND_COMPLETE_FLAGS_SWITCH_SINGLE_SOURCE 4
#define NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL 1
#define NDIS_RECEIVE_FLAGS_RESOURCES 2
#define NDIS_RECEIVE_FLAGS_SINGLE_ETHER_TYPE 0x100
#define NDIS_RECEIVE_FLAGS_SINGLE_VLAN 0x200
#define NDIS_RECEIVE_FLAGS_PERFECT_FILTERED 0x400
#define NDIS_RECEIVE_FLAGS_SINGLE_QUEUE 0x800
#define NDIS_RECEIVE_FLAGS_SHARED_MEMORY_INFO_VALID 0x1000
#define NDIS_RECEIVE_FLAGS_MORE_NBLS 0x2000
#define NDIS_RECEIVE_FLAGS_SWITCH_DESTINATION_GROUP 0x4000
#define NDIS_RECEIVE_FLAGS_SWITCH_SINGLE_SOURCE 0x8000
#define NDIS_RETURN_FLAGS_DISPATCH_LEVEL 1
#define NDIS_RETURN_FLAGS_SINGLE_QUEUE 2
#define NDIS_RETURN_FLAGS_SWITCH_SINGLE_SOURCE 4
#define NDIS_BIND_PARAMETERS_REVISION_1 1
#define NDIS_BIND_PARAMETERS_REVISION_2 2
#define NDIS_BIND_PARAMETERS_REVISION_3 3
#define NDIS_BIND_PARAMETERS_REVISION_4 4
#define NDIS_PROTOCOL_CO_CHARACTERISTICS_REVISION_1 1
#define NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1 1
#define NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 2
#define NDIS_OPEN_PARAMETERS_REVISION_1 1
#define NDIS_MINIPORT_INIT_PARAMETERS_REVISION_1 1
#define NDIS_MINIPORT_RESTART_PARAMETERS_REVISION_1 1
#define NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1 1
#define NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2 2
#define NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1 1
#define NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1 1
#define NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2 2
#define NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_1 1
#define NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2 2
#define NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_3 3
#define NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_4 4
#define NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1 1
#define NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES_REVISION_1 1
#define NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES_REVISION_1 1
#define NDIS_SIZEOF_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES_REVISION_1 ((uintptr_t)9)
#define NDIS_MINIPORT_ATTRIBUTES_HARDWARE_DEVICE 1
#define NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM 2
#define NDIS_MINIPORT_ATTRIBUTES_SURPRISE_REMOVE_OK 4
#define NDIS_MINIPORT_ATTRIBUTES_NOT_CO_NDIS 8
#define NDIS_MINIPORT_ATTRIBUTES_DO_NOT_BIND_TO_ALL_CO 0x10
#define NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND 0x20
#define NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER 0x40
#define NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT 0x80
#define NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND 0x100
#define NDIS_MINIPORT_ATTRIBUTES_NO_OID_INTERCEPT_ON_NONDEFAULT_PORTS 0x200
#define NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK 0x400
#define NDIS_MINIPORT_PAUSE_PARAMETERS_REVISION_1 1
#define NDIS_SIZEOF_MINIPORT_PAUSE_PARAMETERS_REVISION_1 ((uintptr_t)0xC)
#define NET_DEVICE_PNP_EVENT_REVISION_1 1
#define NDIS_WDM_DRIVER 2
#define NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1 1
#define NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 2
#define NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3 3
#define NDIS_MINIPORT_CO_CHARACTERISTICS_REVISION_1 1
#define ROUND_UP_FLOW 0x100
#define PERMANENT_VC 1
#define CALL_PARAMETERS_CHANGED 2
#define MULTIPOINT_VC 0x10
#define NDIS_CO_CLIENT_OPTIONAL_HANDLERS_REVISION_1 1
#define NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS_REVISION_1 1
#define NDIS_STATUS_HOST_OUT_OF_MEMORY ((NDIS_STATUS)0x40052001)
#define NDIS_STATUS_FRAME_TOO_LONG ((NDIS_STATUS)0x40052002)
#define NDIS_STATUS_FRAME_TOO_SHORT ((NDIS_STATUS)0x40052003)
#define NDIS_STATUS_FRAME_LENGTH_ERROR ((NDIS_STATUS)0x40052004)
#define NDIS_STATUS_CRC_ERROR ((NDIS_STATUS)0x40052005)
#define NDIS_STATUS_BAD_CHECKSUM ((NDIS_STATUS)0x40052006)
#define NDIS_STATUS_FCS_ERROR ((NDIS_STATUS)0x40052007)
#define NDIS_STATUS_SYMBOL_ERROR ((NDIS_STATUS)0x40052008)
#define NDIS_STATUS_HEAD_OF_QUEUE_TIMEOUT ((NDIS_STATUS)0x40052009)
#define NDIS_STATUS_STALLED_STATE_DISCARD ((NDIS_STATUS)0x40052010)
#define NDIS_STATUS_RX_QUEUE_FULL ((NDIS_STATUS)0x40052011)
#define NDIS_STATUS_PHYSICAL_LAYER_ERROR ((NDIS_STATUS)0x40052012)
#define NDIS_STATUS_DMA_ERROR ((NDIS_STATUS)0x40052013)
#define NDIS_STATUS_FIRMWARE_ERROR ((NDIS_STATUS)0x40052014)
#define NDIS_STATUS_DECRYPTION_FAILED ((NDIS_STATUS)0x40052015)
#define NDIS_STATUS_BAD_SIGNATURE ((NDIS_STATUS)0x40052016)
#define NDIS_STATUS_COALESCING_ERROR ((NDIS_STATUS)0x40052017)
#define NDIS_STATUS_MAC_SPOOFING_FAILURE ((NDIS_STATUS)0x40052018)
#define NDIS_STATUS_VLAN_SPOOFING_FAILURE ((NDIS_STATUS)0x40052019)
#define NDIS_STATUS_UNALLOWED_ETHERTYPE ((NDIS_STATUS)0x40052020)
#define NDIS_STATUS_VPORT_DOWN ((NDIS_STATUS)0x40052021)
#define NDIS_STATUS_STEERING_MISMATCH ((NDIS_STATUS)0x40052022)
#define NDIS_STATUS_RESERVED_DROP_BEGIN ((NDIS_STATUS)0x40052023)
#define NDIS_STATUS_RESERVED_DROP_END ((NDIS_STATUS)0x40053000)
#define NDIS_STATUS_DRIVER_INTERNAL_DROP_BEGIN ((NDIS_STATUS)0x40053000)
#define NDIS_STATUS_DRIVER_INTERNAL_DROP_END ((NDIS_STATUS)0x40054000)
#define NDIS_STATUS_TAPI_ADDRESSBLOCKED ((NDIS_STATUS)0xC0012000ull)
#define NDIS_STATUS_TAPI_BEARERMODEUNAVAIL ((NDIS_STATUS)0xC0012001ull)
#define NDIS_STATUS_TAPI_CALLUNAVAIL ((NDIS_STATUS)0xC0012002ull)
#define NDIS_STATUS_TAPI_DIALBILLING ((NDIS_STATUS)0xC0012003ull)
#define NDIS_STATUS_TAPI_DIALDIALTONE ((NDIS_STATUS)0xC0012004ull)
#define NDIS_STATUS_TAPI_DIALPROMPT ((NDIS_STATUS)0xC0012005ull)
#define NDIS_STATUS_TAPI_DIALQUIET ((NDIS_STATUS)0xC0012006ull)
#define NDIS_STATUS_TAPI_INCOMPATIBLEEXTVERSION ((NDIS_STATUS)0xC0012007ull)
#define NDIS_STATUS_TAPI_INUSE ((NDIS_STATUS)0xC0012008ull)
#define NDIS_STATUS_TAPI_INVALADDRESS ((NDIS_STATUS)0xC0012009ull)
#define NDIS_STATUS_TAPI_INVALADDRESSID ((NDIS_STATUS)0xC001200Aull)
#define NDIS_STATUS_TAPI_INVALADDRESSMODE ((NDIS_STATUS)0xC001200Bull)
#define NDIS_STATUS_TAPI_INVALBEARERMODE ((NDIS_STATUS)0xC001200Cull)
#define NDIS_STATUS_TAPI_INVALCALLHANDLE ((NDIS_STATUS)0xC001200Dull)
#define NDIS_STATUS_TAPI_INVALCALLPARAMS ((NDIS_STATUS)0xC001200Eull)
#define NDIS_STATUS_TAPI_INVALCALLSTATE ((NDIS_STATUS)0xC001200Full)
#define NDIS_STATUS_TAPI_INVALDEVICECLASS ((NDIS_STATUS)0xC0012010ull)
#define NDIS_STATUS_TAPI_INVALLINEHANDLE ((NDIS_STATUS)0xC0012011ull)
#define NDIS_STATUS_TAPI_INVALLINESTATE ((NDIS_STATUS)0xC0012012ull)
#define NDIS_STATUS_TAPI_INVALMEDIAMODE ((NDIS_STATUS)0xC0012013ull)
#define NDIS_STATUS_TAPI_INVALRATE ((NDIS_STATUS)0xC0012014ull)
#define NDIS_STATUS_TAPI_NODRIVER ((NDIS_STATUS)0xC0012015ull)
#define NDIS_STATUS_TAPI_OPERATIONUNAVAIL ((NDIS_STATUS)0xC0012016ull)
#define NDIS_STATUS_TAPI_RATEUNAVAIL ((NDIS_STATUS)0xC0012017ull)
#define NDIS_STATUS_TAPI_RESOURCEUNAVAIL ((NDIS_STATUS)0xC0012018ull)
#define NDIS_STATUS_TAPI_STRUCTURETOOSMALL ((NDIS_STATUS)0xC0012019ull)
#define NDIS_STATUS_TAPI_USERUSERINFOTOOBIG ((NDIS_STATUS)0xC001201Aull)
#define NDIS_STATUS_TAPI_ALLOCATED ((NDIS_STATUS)0xC001201Bull)
#define NDIS_STATUS_TAPI_INVALADDRESSSTATE ((NDIS_STATUS)0xC001201Cull)
#define NDIS_STATUS_TAPI_INVALPARAM ((NDIS_STATUS)0xC001201Dull)
#define NDIS_STATUS_TAPI_NODEVICE ((NDIS_STATUS)0xC001201Eull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_NORMAL ((NDIS_STATUS)0xC0012020ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_UNKNOWN ((NDIS_STATUS)0xC0012021ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_REJECT ((NDIS_STATUS)0xC0012022ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_PICKUP ((NDIS_STATUS)0xC0012023ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_FORWARDED ((NDIS_STATUS)0xC0012024ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_BUSY ((NDIS_STATUS)0xC0012025ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_NOANSWER ((NDIS_STATUS)0xC0012026ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_BADADDRESS ((NDIS_STATUS)0xC0012027ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_UNREACHABLE ((NDIS_STATUS)0xC0012028ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_CONGESTION ((NDIS_STATUS)0xC0012029ull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_INCOMPATIBLE ((NDIS_STATUS)0xC001202Aull)
#define NDIS_STATUS_TAPI_DISCONNECTMODE_UNAVAIL ((NDIS_STATUS)0xC001202Bull)
#define NDIS_STATUS_TAPI_RECV_DIGIT ((NDIS_STATUS)0x40010020)
#define NDIS_STATUS_TAPI_INDICATION ((NDIS_STATUS)0x40010080)
#define FALSE 0
#define MDL_ALLOCATED_FIXED_SIZE 8
#define MDL_IO_PAGE_READ 0x40
#define MDL_IO_SPACE 0x800
#define MDL_LOCKED_PAGE_TABLES 0x100
#define MDL_MAPPED_TO_SYSTEM_VA 1
#define MDL_MAPPING_CAN_FAIL 0x2000
#define MDL_NETWORK_HEADER 0x1000
#define MDL_PAGES_LOCKED 2
#define MDL_PARENT_MAPPED_SYSTEM_VA 0x100
#define MDL_PARTIAL 0x10
#define MDL_PARTIAL_HAS_BEEN_MAPPED 0x20
#define MDL_SOURCE_IS_NONPAGED_POOL 4
#define MDL_WRITE_OPERATION 0x80
#define PAGE_SHIFT 0xC
#define PAGE_SIZE 0x1000
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009Aull)
#define STATUS_PENDING ((NTSTATUS)0x103)
#define STATUS_SUCCESS ((NTSTATUS)0)
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001ull)
#define TRUE 1
#define DPFLTR_IHVNETWORK_ID ((ULONG)80)
#define DPFLTR_ERROR_LEVEL ((ULONG)0)
#define DPFLTR_WARNING_LEVEL ((ULONG)1)
#define DPFLTR_TRACE_LEVEL ((ULONG)2)
#define DPFLTR_INFO_LEVEL ((ULONG)3)

/* Functions of ndis.sys. */

CONDIS_IMPORT void CONDIS_CDECL NdisWriteErrorLogEntry(
    NDIS_HANDLE NdisAdapterHandle,
    ULONG ErrorCode,
    ULONG NumberOfErrorValues,
    ...);
CONDIS_IMPORT void NTAPI NdisReadConfiguration(
    PNDIS_STATUS Status,
    PNDIS_CONFIGURATION_PARAMETER *ParameterValue,
    NDIS_HANDLE ConfigurationHandle,
    PNDIS_STRING Keyword,
    NDIS_PARAMETER_TYPE ParameterType);
CONDIS_IMPORT void NTAPI NdisCloseConfiguration(NDIS_HANDLE ConfigurationHandle);
CONDIS_IMPORT void NTAPI NdisCopyBuffer(
    PNDIS_STATUS Status,
    PNDIS_BUFFER *Buffer,
    NDIS_HANDLE PoolHandle,
    PVOID MemoryDescriptor,
    UINT Offset,
    UINT Length);
CONDIS_IMPORT void NTAPI NdisFreeMemory(PVOID VirtualAddress, UINT Length, UINT MemoryFlags);
CONDIS_IMPORT void NTAPI NdisInitializeEvent(PNDIS_EVENT Event);
CONDIS_IMPORT void NTAPI NdisSetEvent(PNDIS_EVENT Event);
CONDIS_IMPORT void NTAPI NdisResetEvent(PNDIS_EVENT Event);
CONDIS_IMPORT BOOLEAN NTAPI NdisWaitEvent(PNDIS_EVENT Event, UINT MsToWait);
CONDIS_IMPORT void NTAPI NdisCloseFile(NDIS_HANDLE FileHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisOpenConfigurationEx(
    PNDIS_CONFIGURATION_OBJECT ConfigObject,
    PNDIS_HANDLE ConfigurationHandle);
CONDIS_IMPORT PVOID NTAPI NdisAllocateMemoryWithTagPriority(
    NDIS_HANDLE NdisHandle,
    UINT Length,
    ULONG Tag,
    EX_POOL_PRIORITY Priority);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisSetOptionalHandlers(
    NDIS_HANDLE NdisHandle,
    PNDIS_DRIVER_OPTIONAL_HANDLERS OptionalHandlers);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisAllocateTimerObject(
    NDIS_HANDLE NdisHandle,
    PNDIS_TIMER_CHARACTERISTICS TimerCharacteristics,
    PNDIS_HANDLE pTimerObject);
CONDIS_IMPORT BOOLEAN NTAPI NdisSetTimerObject(
    NDIS_HANDLE TimerObject,
    LARGE_INTEGER DueTime,
    LONG MillisecondsPeriod,
    PVOID FunctionContext);
CONDIS_IMPORT BOOLEAN NTAPI NdisCancelTimerObject(NDIS_HANDLE TimerObject);
CONDIS_IMPORT void NTAPI NdisFreeTimerObject(NDIS_HANDLE TimerObject);
CONDIS_IMPORT void NTAPI NdisFreeMemoryWithTagPriority(
    NDIS_HANDLE NdisHandle,
    PVOID VirtualAddress,
    ULONG Tag);
CONDIS_IMPORT NDIS_HANDLE NTAPI NdisAllocateNetBufferListPool(
    NDIS_HANDLE NdisHandle,
    const NET_BUFFER_LIST_POOL_PARAMETERS *Parameters);
CONDIS_IMPORT void NTAPI NdisFreeNetBufferListPool(NDIS_HANDLE PoolHandle);
CONDIS_IMPORT NET_BUFFER_LIST *NTAPI NdisAllocateNetBufferList(
    NDIS_HANDLE PoolHandle,
    USHORT ContextSize,
    USHORT ContextBackFill);
CONDIS_IMPORT NET_BUFFER_LIST *NTAPI NdisAllocateNetBufferAndNetBufferList(
    NDIS_HANDLE PoolHandle,
    USHORT ContextSize,
    USHORT ContextBackFill,
    MDL *MdlChain,
    ULONG DataOffset,
    SIZE_T DataLength);
CONDIS_IMPORT void NTAPI NdisFreeNetBufferList(NET_BUFFER_LIST *NetBufferList);
CONDIS_IMPORT NDIS_HANDLE NTAPI NdisAllocateNetBufferPool(
    NDIS_HANDLE NdisHandle,
    const NET_BUFFER_POOL_PARAMETERS *Parameters);
CONDIS_IMPORT void NTAPI NdisFreeNetBufferPool(NDIS_HANDLE PoolHandle);
CONDIS_IMPORT NET_BUFFER *NTAPI NdisAllocateNetBuffer(
    NDIS_HANDLE PoolHandle,
    MDL *MdlChain,
    ULONG DataOffset,
    SIZE_T DataLength);
CONDIS_IMPORT NET_BUFFER *NTAPI NdisAllocateNetBufferMdlAndData(NDIS_HANDLE PoolHandle);
CONDIS_IMPORT void NTAPI NdisFreeNetBuffer(NET_BUFFER *NetBuffer);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisRetreatNetBufferDataStart(
    NET_BUFFER *NetBuffer,
    ULONG DataOffsetDelta,
    ULONG DataBackFill,
    NET_BUFFER_ALLOCATE_MDL *AllocateMdlHandler);
CONDIS_IMPORT void NTAPI NdisAdvanceNetBufferDataStart(
    NET_BUFFER *NetBuffer,
    ULONG DataOffsetDelta,
    BOOLEAN FreeMdl,
    NET_BUFFER_FREE_MDL *FreeMdlHandler);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisRetreatNetBufferListDataStart(
    NET_BUFFER_LIST *NetBufferList,
    ULONG DataOffsetDelta,
    ULONG DataBackFill,
    NET_BUFFER_ALLOCATE_MDL *AllocateMdlHandler,
    NET_BUFFER_FREE_MDL *FreeMdlHandler);
CONDIS_IMPORT void NTAPI NdisAdvanceNetBufferListDataStart(
    NET_BUFFER_LIST *NetBufferList,
    ULONG DataOffsetDelta,
    BOOLEAN FreeMdl,
    NET_BUFFER_FREE_MDL *FreeMdlMdlHandler);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisAllocateNetBufferListContext(
    NET_BUFFER_LIST *NetBufferList,
    USHORT ContextSize,
    USHORT ContextBackFill,
    ULONG PoolTag);
CONDIS_IMPORT void NTAPI NdisFreeNetBufferListContext(
    NET_BUFFER_LIST *NetBufferList,
    USHORT ContextSize);
CONDIS_IMPORT NET_BUFFER_LIST *NTAPI NdisAllocateCloneNetBufferList(
    NET_BUFFER_LIST *OriginalNetBufferList,
    NDIS_HANDLE NetBufferListPoolHandle,
    NDIS_HANDLE NetBufferPoolHandle,
    ULONG AllocateCloneFlags);
CONDIS_IMPORT void NTAPI NdisFreeCloneNetBufferList(
    NET_BUFFER_LIST *CloneNetBufferList,
    ULONG FreeCloneFlags);
CONDIS_IMPORT void NTAPI NdisCopySendNetBufferListInfo(
    NET_BUFFER_LIST *DestNetBufferList,
    const NET_BUFFER_LIST *SrcNetBufferList);
CONDIS_IMPORT void NTAPI NdisCopyReceiveNetBufferListInfo(
    NET_BUFFER_LIST *DestNetBufferList,
    const NET_BUFFER_LIST *SrcNetBufferList);
CONDIS_IMPORT PVOID NTAPI NdisGetDataBuffer(
    NET_BUFFER *NetBuffer,
    ULONG BytesNeeded,
    PVOID Storage,
    ULONG AlignMultiple,
    ULONG AlignOffset);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCopyFromNetBufferToNetBuffer(
    NET_BUFFER *Destination,
    ULONG DestinationOffset,
    ULONG BytesToCopy,
    const NET_BUFFER *Source,
    ULONG SourceOffset,
    ULONG *BytesCopied);
CONDIS_IMPORT MDL *NTAPI NdisAllocateMdl(
    NDIS_HANDLE NdisHandle,
    PVOID VirtualAddress,
    ULONG Length);
CONDIS_IMPORT void NTAPI NdisFreeMdl(MDL *Mdl);
CONDIS_IMPORT void NTAPI NdisDeregisterProtocolDriver(NDIS_HANDLE NdisProtocolHandle);
CONDIS_IMPORT void NTAPI NdisCompleteNetPnPEvent(
    NDIS_HANDLE NdisBindingHandle,
    PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification,
    NDIS_STATUS Status);
CONDIS_IMPORT UCHAR NTAPI NdisGeneratePartialCancelId(void);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisRegisterProtocolDriver(
    NDIS_HANDLE ProtocolDriverContext,
    PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS ProtocolCharacteristics,
    PNDIS_HANDLE NdisProtocolHandle);
CONDIS_IMPORT void NTAPI NdisReturnNetBufferLists(
    NDIS_HANDLE NdisBindingHandle,
    PNET_BUFFER_LIST NetBufferLists,
    ULONG ReturnFlags);
CONDIS_IMPORT void NTAPI NdisCancelSendNetBufferLists(
    NDIS_HANDLE NdisBindingHandle,
    PVOID CancelId);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisUnbindAdapter(NDIS_HANDLE NdisBindingHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisOpenAdapterEx(
    NDIS_HANDLE NdisProtocolHandle,
    NDIS_HANDLE ProtocolBindingContext,
    PNDIS_OPEN_PARAMETERS OpenParameters,
    NDIS_HANDLE BindContext,
    PNDIS_HANDLE NdisBindingHandle);
CONDIS_IMPORT void NTAPI NdisCompleteBindAdapterEx(
    NDIS_HANDLE BindAdapterContext,
    NDIS_STATUS Status);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCloseAdapterEx(NDIS_HANDLE NdisBindingHandle);
CONDIS_IMPORT void NTAPI NdisCompleteUnbindAdapterEx(NDIS_HANDLE UnbindContext);
CONDIS_IMPORT void NTAPI NdisCompleteDmaTransfer(
    PNDIS_STATUS Status,
    NDIS_HANDLE NdisDmaHandle,
    PNDIS_BUFFER Buffer,
    ULONG Offset,
    ULONG Length,
    BOOLEAN WriteToDevice);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMSetMiniportAttributes(
    NDIS_HANDLE NdisMiniportHandle,
    PNDIS_MINIPORT_ADAPTER_ATTRIBUTES MiniportAttributes);
CONDIS_IMPORT void NTAPI NdisMIndicateStatusEx(
    NDIS_HANDLE MiniportAdapterHandle,
    PNDIS_STATUS_INDICATION StatusIndication);
CONDIS_IMPORT void NTAPI NdisMCoOidRequestComplete(
    NDIS_HANDLE MiniportAdapterHandle,
    NDIS_HANDLE NdisMiniportVcHandle,
    PNDIS_OID_REQUEST Request,
    NDIS_STATUS Status);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMCmOidRequest(
    NDIS_HANDLE NdisAfHandle,
    NDIS_HANDLE NdisVcHandle,
    NDIS_HANDLE NdisPartyHandle,
    PNDIS_OID_REQUEST NdisOidRequest);
CONDIS_IMPORT void NTAPI NdisMCoIndicateStatusEx(
    NDIS_HANDLE MiniportAdapterHandle,
    NDIS_HANDLE NdisVcHandle,
    PNDIS_STATUS_INDICATION StatusIndication);
CONDIS_IMPORT void NTAPI NdisMSleep(ULONG MicrosecondsToSleep);
CONDIS_IMPORT void NTAPI NdisMCoActivateVcComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT void NTAPI NdisMCoDeactivateVcComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisVcHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMCmRegisterAddressFamily(
    NDIS_HANDLE MiniportAdapterHandle,
    PCO_ADDRESS_FAMILY AddressFamily,
    PNDIS_CALL_MANAGER_CHARACTERISTICS CmCharacteristics,
    UINT SizeOfCmCharacteristics);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMCmCreateVc(
    NDIS_HANDLE MiniportAdapterHandle,
    NDIS_HANDLE NdisAfHandle,
    NDIS_HANDLE MiniportVcContext,
    PNDIS_HANDLE NdisVcHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMCmDeleteVc(NDIS_HANDLE NdisVcHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMCmActivateVc(
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMCmDeactivateVc(NDIS_HANDLE NdisVcHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMRegisterMiniportDriver(
    PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING RegistryPath,
    NDIS_HANDLE MiniportDriverContext,
    PNDIS_MINIPORT_DRIVER_CHARACTERISTICS MiniportDriverCharacteristics,
    PNDIS_HANDLE NdisMiniportDriverHandle);
CONDIS_IMPORT void NTAPI NdisMDeregisterMiniportDriver(NDIS_HANDLE NdisMiniportDriverHandle);
CONDIS_IMPORT void NTAPI NdisMPauseComplete(NDIS_HANDLE MiniportAdapterHandle);
CONDIS_IMPORT void NTAPI NdisMRestartComplete(
    NDIS_HANDLE MiniportAdapterHandle,
    NDIS_STATUS Status);
CONDIS_IMPORT void NTAPI NdisMOidRequestComplete(
    NDIS_HANDLE MiniportAdapterHandle,
    PNDIS_OID_REQUEST OidRequest,
    NDIS_STATUS Status);
CONDIS_IMPORT NDIS_HANDLE NTAPI NdisAllocateIoWorkItem(NDIS_HANDLE NdisObjectHandle);
CONDIS_IMPORT void NTAPI NdisQueueIoWorkItem(
    NDIS_HANDLE NdisIoWorkItemHandle,
    NDIS_IO_WORKITEM_ROUTINE Routine,
    PVOID WorkItemContext);
CONDIS_IMPORT void NTAPI NdisFreeIoWorkItem(NDIS_HANDLE NdisIoWorkItemHandle);
CONDIS_IMPORT void NTAPI NdisMCoSendNetBufferListsComplete(
    NDIS_HANDLE NdisVcHandle,
    PNET_BUFFER_LIST NetBufferLists,
    ULONG SendCompleteFlags);
CONDIS_IMPORT void NTAPI NdisMCoIndicateReceiveNetBufferLists(
    NDIS_HANDLE NdisVcHandle,
    PNET_BUFFER_LIST NetBufferLists,
    ULONG NumberOfNetBufferLists,
    ULONG CoReceiveFlags);
CONDIS_IMPORT void NTAPI NdisMResetComplete(
    NDIS_HANDLE MiniportAdapterHandle,
    NDIS_STATUS Status,
    BOOLEAN AddressingReset);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMConfigMSIXTableEntry(
    NDIS_HANDLE NdisMiniportHandle,
    PNDIS_MSIX_CONFIG_PARAMETERS MSIXConfigParameters);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCoAssignInstanceName(
    NDIS_HANDLE NdisVcHandle,
    PNDIS_STRING BaseInstanceName,
    PNDIS_STRING VcInstanceName);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCoCreateVc(
    NDIS_HANDLE NdisBindingHandle,
    NDIS_HANDLE NdisAfHandle,
    NDIS_HANDLE ProtocolVcContext,
    PNDIS_HANDLE NdisVcHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCoDeleteVc(NDIS_HANDLE NdisVcHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCoGetTapiCallId(
    NDIS_HANDLE NdisVcHandle,
    PVAR_STRING TapiCallId);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClCloseAddressFamily(NDIS_HANDLE NdisAfHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClRegisterSap(
    NDIS_HANDLE NdisAfHandle,
    NDIS_HANDLE ProtocolSapContext,
    PCO_SAP Sap,
    PNDIS_HANDLE NdisSapHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClDeregisterSap(NDIS_HANDLE NdisSapHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClMakeCall(
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters,
    NDIS_HANDLE ProtocolPartyContext,
    PNDIS_HANDLE NdisPartyHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClCloseCall(
    NDIS_HANDLE NdisVcHandle,
    NDIS_HANDLE NdisPartyHandle,
    PVOID Buffer,
    UINT Size);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClModifyCallQoS(
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT void NTAPI NdisClIncomingCallComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClAddParty(
    NDIS_HANDLE NdisVcHandle,
    NDIS_HANDLE ProtocolPartyContext,
    PCO_CALL_PARAMETERS CallParameters,
    PNDIS_HANDLE NdisPartyHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClDropParty(
    NDIS_HANDLE NdisPartyHandle,
    PVOID Buffer,
    UINT Size);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClGetProtocolVcContextFromTapiCallId(
    UNICODE_STRING TapiCallId,
    PNDIS_HANDLE ProtocolVcContext);
CONDIS_IMPORT void NTAPI NdisCmOpenAddressFamilyComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisAfHandle,
    NDIS_HANDLE CallMgrAfContext);
CONDIS_IMPORT void NTAPI NdisCmCloseAddressFamilyComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisAfHandle);
CONDIS_IMPORT void NTAPI NdisCmRegisterSapComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisSapHandle,
    NDIS_HANDLE CallMgrSapContext);
CONDIS_IMPORT void NTAPI NdisCmDeregisterSapComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisSapHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCmActivateVc(
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCmDeactivateVc(NDIS_HANDLE NdisVcHandle);
CONDIS_IMPORT void NTAPI NdisCmMakeCallComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisVcHandle,
    NDIS_HANDLE NdisPartyHandle,
    NDIS_HANDLE CallMgrPartyContext,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT void NTAPI NdisCmCloseCallComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisVcHandle,
    NDIS_HANDLE NdisPartyHandle);
CONDIS_IMPORT void NTAPI NdisCmAddPartyComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisPartyHandle,
    NDIS_HANDLE CallMgrPartyContext,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT void NTAPI NdisCmDropPartyComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisPartyHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCmDispatchIncomingCall(
    NDIS_HANDLE NdisSapHandle,
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT void NTAPI NdisCmDispatchCallConnected(NDIS_HANDLE NdisVcHandle);
CONDIS_IMPORT void NTAPI NdisCmModifyCallQoSComplete(
    NDIS_STATUS Status,
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT void NTAPI NdisCmDispatchIncomingCallQoSChange(
    NDIS_HANDLE NdisVcHandle,
    PCO_CALL_PARAMETERS CallParameters);
CONDIS_IMPORT void NTAPI NdisCmDispatchIncomingCloseCall(
    NDIS_STATUS CloseStatus,
    NDIS_HANDLE NdisVcHandle,
    PVOID Buffer,
    UINT Size);
CONDIS_IMPORT void NTAPI NdisCmDispatchIncomingDropParty(
    NDIS_STATUS DropStatus,
    NDIS_HANDLE NdisPartyHandle,
    PVOID Buffer,
    UINT Size);
CONDIS_IMPORT void NTAPI NdisCoSendNetBufferLists(
    NDIS_HANDLE NdisVcHandle,
    PNET_BUFFER_LIST NetBufferLists,
    ULONG SendFlags);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCoOidRequest(
    NDIS_HANDLE NdisBindingHandle,
    NDIS_HANDLE NdisAfHandle,
    NDIS_HANDLE NdisVcHandle,
    NDIS_HANDLE NdisPartyHandle,
    PNDIS_OID_REQUEST OidRequest);
CONDIS_IMPORT void NTAPI NdisCoOidRequestComplete(
    NDIS_HANDLE NdisAfHandle,
    NDIS_HANDLE NdisVcHandle,
    NDIS_HANDLE NdisPartyHandle,
    PNDIS_OID_REQUEST OidRequest,
    NDIS_STATUS Status);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisClOpenAddressFamilyEx(
    NDIS_HANDLE NdisBindingHandle,
    PCO_ADDRESS_FAMILY AddressFamily,
    NDIS_HANDLE ClientAfContext,
    PNDIS_HANDLE NdisAfHandle);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCmRegisterAddressFamilyEx(
    NDIS_HANDLE NdisBindingHandle,
    PCO_ADDRESS_FAMILY AddressFamily);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisMCmRegisterAddressFamilyEx(
    NDIS_HANDLE MiniportAdapterHandle,
    PCO_ADDRESS_FAMILY AddressFamily);
CONDIS_IMPORT NDIS_STATUS NTAPI NdisCmNotifyCloseAddressFamily(NDIS_HANDLE NdisAfHandle);
CONDIS_IMPORT void NTAPI NdisClNotifyCloseAddressFamilyComplete(
    NDIS_HANDLE NdisAfHandle,
    NDIS_STATUS Status);

/* Functions of ntoskrnl.exe. */

CONDIS_IMPORT void NTAPI RtlInitUnicodeString(
    PUNICODE_STRING DestinationString,
    PCWSTR SourceString);
CONDIS_IMPORT void NTAPI KeFlushQueuedDpcs(void);
CONDIS_IMPORT void NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State);
CONDIS_IMPORT void NTAPI KeClearEvent(PRKEVENT Event);
CONDIS_IMPORT LONG NTAPI KeResetEvent(PRKEVENT Event);
CONDIS_IMPORT LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
CONDIS_IMPORT NTSTATUS NTAPI KeDelayExecutionThread(
    KPROCESSOR_MODE WaitMode,
    BOOLEAN Alertable,
    PLARGE_INTEGER Interval);
CONDIS_IMPORT NTSTATUS NTAPI KeWaitForSingleObject(
    PVOID Object,
    KWAIT_REASON WaitReason,
    KPROCESSOR_MODE WaitMode,
    BOOLEAN Alertable,
    PLARGE_INTEGER Timeout);
CONDIS_IMPORT void NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock);
CONDIS_IMPORT KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock);
CONDIS_IMPORT void NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql);
CONDIS_IMPORT void NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock);
CONDIS_IMPORT void NTAPI KeBugCheckEx(
    ULONG BugCheckCode,
    ULONG_PTR BugCheckParameter1,
    ULONG_PTR BugCheckParameter2,
    ULONG_PTR BugCheckParameter3,
    ULONG_PTR BugCheckParameter4);
CONDIS_IMPORT PVOID NTAPI ExAllocatePoolWithTag(
    POOL_TYPE PoolType,
    SIZE_T NumberOfBytes,
    ULONG Tag);
CONDIS_IMPORT void NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag);
CONDIS_IMPORT PVOID NTAPI MmMapLockedPagesSpecifyCache(
    PMDL MemoryDescriptorList,
    KPROCESSOR_MODE AccessMode,
    MEMORY_CACHING_TYPE CacheType,
    PVOID RequestedAddress,
    ULONG BugCheckOnFailure,
    ULONG Priority);
CONDIS_IMPORT NTSTATUS NTAPI PsCreateSystemThread(
    PHANDLE ThreadHandle,
    ULONG DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes,
    HANDLE ProcessHandle,
    PCLIENT_ID ClientId,
    PKSTART_ROUTINE StartRoutine,
    PVOID StartContext);
CONDIS_IMPORT NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus);
CONDIS_IMPORT NTSTATUS NTAPI IoAllocateDriverObjectExtension(
    PDRIVER_OBJECT DriverObject,
    PVOID ClientIdentificationAddress,
    ULONG DriverObjectExtensionSize,
    PVOID *DriverObjectExtension);
CONDIS_IMPORT PVOID NTAPI IoGetDriverObjectExtension(
    PDRIVER_OBJECT DriverObject,
    PVOID ClientIdentificationAddress);
CONDIS_IMPORT NTSTATUS NTAPI ObReferenceObjectByHandle(
    HANDLE Handle,
    ACCESS_MASK DesiredAccess,
    POBJECT_TYPE ObjectType,
    KPROCESSOR_MODE AccessMode,
    PVOID *Object,
    POBJECT_HANDLE_INFORMATION HandleInformation);
CONDIS_IMPORT NTSTATUS NTAPI ZwClose(HANDLE Handle);
CONDIS_IMPORT KIRQL NTAPI KeGetCurrentIrql(void);
CONDIS_IMPORT void NTAPI KeLowerIrql(KIRQL irql);
CONDIS_IMPORT KIRQL NTAPI KeRaiseIrqlToDpcLevel(void);
CONDIS_IMPORT ULONG NTAPI vDbgPrintEx(
    ULONG component,
    ULONG level,
    PCSTR format,
    PVOID arguments);

/* The same functions under the names that a miniport call manager uses. */

#define NdisMCmAddPartyComplete NdisCmAddPartyComplete
#define NdisMCmCloseAddressFamilyComplete NdisCmCloseAddressFamilyComplete
#define NdisMCmCloseCallComplete NdisCmCloseCallComplete
#define NdisMCmDeregisterSapComplete NdisCmDeregisterSapComplete
#define NdisMCmDispatchCallConnected NdisCmDispatchCallConnected
#define NdisMCmDispatchIncomingCall NdisCmDispatchIncomingCall
#define NdisMCmDispatchIncomingCallQoSChange NdisCmDispatchIncomingCallQoSChange
#define NdisMCmDispatchIncomingCloseCall NdisCmDispatchIncomingCloseCall
#define NdisMCmDispatchIncomingDropParty NdisCmDispatchIncomingDropParty
#define NdisMCmDropPartyComplete NdisCmDropPartyComplete
#define NdisMCmMakeCallComplete NdisCmMakeCallComplete
#define NdisMCmModifyCallQoSComplete NdisCmModifyCallQoSComplete
#define NdisMCmNotifyCloseAddressFamily NdisCmNotifyCloseAddressFamily
#define NdisMCmOidRequestComplete NdisCoOidRequestComplete
#define NdisMCmOpenAddressFamilyComplete NdisCmOpenAddressFamilyComplete
#define NdisMCmRegisterSapComplete NdisCmRegisterSapComplete

/* Places in records; they can stand on either side of an assignment. */

#define NDIS_BUFFER_LINKAGE(of) (*(PMDL *)&(of)->Next)
#define NDIS_MDL_LINKAGE(of) (*(PMDL *)&(of)->Next)
#define NET_BUFFER_CHECKSUM_BIAS(of) (*(USHORT *)&(of)->ChecksumBias)
#define NET_BUFFER_CURRENT_MDL(of) (*(MDL **)&(of)->CurrentMdl)
#define NET_BUFFER_CURRENT_MDL_OFFSET(of) (*(ULONG *)&(of)->CurrentMdlOffset)
#define NET_BUFFER_DATA_LENGTH(of) (*(ULONG *)&(of)->DataLength)
#define NET_BUFFER_DATA_OFFSET(of) (*(ULONG *)&(of)->DataOffset)
#define NET_BUFFER_FIRST_MDL(of) (*(MDL **)&(of)->MdlChain)
#define NET_BUFFER_FIRST_SHARED_MEM_INFO(of) (*(NET_BUFFER_SHARED_MEMORY **)&(of)->SharedMemoryInfo)
#define NET_BUFFER_LIST_FIRST_NB(of) (*(NET_BUFFER **)&(of)->FirstNetBuffer)
#define NET_BUFFER_LIST_FLAGS(of) (*(ULONG *)&(of)->Flags)
#define NET_BUFFER_LIST_MINIPORT_RESERVED(of) (*(PVOID *)&(of)->MiniportReserved)
#define NET_BUFFER_LIST_NBL_FLAGS(of) (*(ULONG *)&(of)->NblFlags)
#define NET_BUFFER_LIST_NEXT_NBL(of) (*(NET_BUFFER_LIST **)&(of)->Next)
#define NET_BUFFER_LIST_PROTOCOL_RESERVED(of) (*(PVOID *)&(of)->ProtocolReserved)
#define NET_BUFFER_LIST_STATUS(of) (*(NDIS_STATUS *)&(of)->Status)
#define NET_BUFFER_MINIPORT_RESERVED(of) (*(PVOID *)&(of)->MiniportReserved)
#define NET_BUFFER_NEXT_NB(of) (*(NET_BUFFER **)&(of)->Next)
#define NET_BUFFER_PROTOCOL_RESERVED(of) (*(PVOID *)&(of)->ProtocolReserved)
#define NET_BUFFER_SCATTER_GATHER_LIST(of) (*(SCATTER_GATHER_LIST **)&(of)->ScatterGatherList)
#define NET_BUFFER_SHARED_MEM_FLAGS(of) (*(ULONG *)&(of)->SharedMemoryFlags)
#define NET_BUFFER_SHARED_MEM_HANDLE(of) (*(NDIS_HANDLE *)&(of)->SharedMemoryHandle)
#define NET_BUFFER_SHARED_MEM_LENGTH(of) (*(ULONG *)&(of)->SharedMemoryLength)
#define NET_BUFFER_SHARED_MEM_NEXT_SEGMENT(of) (*(PNET_BUFFER_SHARED_MEMORY *)&(of)->NextSharedMemorySegment)
#define NET_BUFFER_SHARED_MEM_OFFSET(of) (*(ULONG *)&(of)->SharedMemoryOffset)

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

#endif /* CONDIS_H */
