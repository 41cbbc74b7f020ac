//! What the random drivers can do, by name: each act can be counted, and left out.
#![forbid(unsafe_code)]

macro_rules! acts {
    ($($(#[$doc:meta])* $group:literal: $($name:ident)+;)+) => {
        /// One thing that a safe driver, or the world around it, may do.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Act {
            $($(
                #[doc = $group]
                $name,
            )+)+
        }

        impl Act {
            /// Every act with the group it belongs to.
            pub const ALL: &'static [(&'static str, Self)] = &[$($(($group, Self::$name),)+)+];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $($(Self::$name => stringify!($name),)+)+
                }
            }
        }
    };
}

acts! {
    "loading": LoadErr LoadOk;
    "initialize":
        InitErrFirst InitErrAttributed InitErrAdapter InitErrRegistered InitNoFamily InitOneFamily
        InitTwoFamilies InitResourcesStored;
    "flow": RestartErr RestartOk;
    "bind": BindErr BindOk;
    "open family": OpenAccept OpenRefuse OpenPendAccept OpenPendRefuse OpenPendDrop
        OfferOpen OfferIgnore OpenedDrop OpenedKeep OpenedClose OpenedStash;
    "close family": CloseAfFinish CloseAfPendFinish CloseAfPendDrop AfClose NotifyClose;
    "register SAP": SapAccept SapRefuse SapPendAccept SapPendRefuse SapPendDrop
        SapRegister SapRegisterDrop SapRegisterDeregister SapRegisterStash;
    "deregister SAP": SapGoneFinish SapGonePendFinish SapGonePendDrop SapDeregister;
    "create VC": ClientVcErr ClientVcOk ManagerVcErr ManagerVcOk
        VcCreate VcDelete VcDrop VcStash VcDial;
    "make call": MakeAccept MakeAcceptWith MakeRefuse MakePendAccept MakePendAcceptWith
        MakePendRefuse MakePendDrop MakeAcceptLink MakePendAcceptLink
        MakeJoin JoinUp JoinRefused JoinEnd JoinHangUp CallKeep CallDrop CallClose CallStash;
    "incoming call": RingCreate RingDropInactive RingStashInactive RingDeleteInactive RingActivate
        RingDropActive RingStashActive RingDeleteActive RingDispatch
        RingAccept RingRefuse RingPendAccept RingPendRefuse RingPendDrop
        RingConnect RingClose RingDropAccepted RingLater;
    "hang-up": ClientHangUp ClientHangUpData ManagerHangUp ManagerHangUpData
        CloseFinish CloseRefuse ClosePendFinish ClosePendDrop;
    "data":
        ClientSend SendNow SendLater SendDrop SendSplit SendAppend SendHold
        HomeDrop HomeResend
        ManagerIndicate ReceiveGiveBack ReceiveDrop ReceiveKeepGiveBack ReceiveKeepDrop
        ReceiveHold ReturnedDrop ReturnedHold ReturnedAgain IndicateAnnounced
        KeptSplit KeptAppend ListsFree Pong;
    "packets": PacketHeader PacketWrite PacketSplit PacketPop;
    "link":
        LinkVcErr LinkVcOk LinkUpAccept LinkUpRefuse LinkUpPendAccept LinkUpPendRefuse
        LinkUpPendDrop LinkRound LinkDownFinish LinkDownPendFinish LinkDownPendDrop;
    "signaling":
        SignalCreate SignalClose SignalDrop SignalFailed SignalSend SignalResend SignalHeard
        SignalHold SignalGiveBack;
    "both roles": BothAsClient BothAsManager CrossToCall CrossToSignal SendWithoutVc;
    "joined VCs": JoinedCreate JoinedLowerEnds JoinedLowerLeft JoinedUpperEnds;
    "requests":
        AskManager AskManagerOfVc AskClient AskClientOfVc AskAdapter AskAdapterOfVc AskAndWait AskAgain
        OidReply OidRefuse OidUnknown OidPendReply OidPendRefuse OidPendDrop OidPendEarly OidHold
        OidHeld OidCancelled HostAsk HostAskOfVc HostAskBriefly;
    "indications": IndicateAdapter IndicateLink IndicateVc IndicateLine IndicateStash AgainStatus;
    "settings": SettingsInit SettingsBind SettingsThread SettingsWork;
    "devices":
        DeviceInit DeviceRegister DeviceDrop DeviceDeregister DeviceLook
        FileOpen FileErr FileClosed ControlReply ControlInPlace ControlRefuse
        ControlPend ControlPendReply ControlPendDone ControlPendRefuse ControlPendDrop ControlOver
        Program ProgramControl ProgramWaits ProgramCancels ProgramCloses ProgramLeaves;
    "clones": SendRelay KeptRelay OwnRelay ParentHold ParentDrop ParentBack;
    "references":
        StashVc StashSap StashAf StashAdapter DropVc DropSap DropAf DropAdapter DropUnderLock
        StoreParent Look WeakKeep WeakUse;
    "looking again": AgainMakeCall AgainPended AgainConnected AgainRing AgainAccepted AgainCloseData
        AgainEndData AgainReceived;
    "power": PowerDown PowerUp RemoveAsleep TimerParked TimerAgain;
    "resets": Reset ResetAside LookForHang Hung ResetDone ResetFail ResetPendDone ResetPendFail ResetPendDrop;
    "later": LaterThread LaterTimer LaterWork LaterHandler LaterAtOnce;
    "timers": TimerNew TimerSet TimerCancel TimerDrop WorkNew WorkQueue WorkDrop;
    "waiting": Wait Hold WaitForEnd;
    "statuses": StatusInformational StatusSuccess;
    "destructors": DestructorLocks DestructorDrops;
    "the world": Reading TwoAdapters SecondClient Pause Restart Remove SurpriseRemove AddAdapter
        UnloadClient UnloadManager UnloadLink LoadClientAgain LoadManagerAgain FaultCall FaultDelete FaultAllocation RunToIdle RunForAWhile;
}

/// How many acts there are.
pub const ACTS: usize = Act::ALL.len();

impl Act {
    /// The act of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, act)| act.name().eq_ignore_ascii_case(name))
            .map(|(_, act)| *act)
    }
}
