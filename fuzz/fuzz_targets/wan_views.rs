#![cfg_attr(feature = "libfuzzer", no_main)]

ndis_fuzz::target!(wan_views);
