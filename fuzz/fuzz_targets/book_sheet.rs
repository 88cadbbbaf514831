#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hefu_fuzz::book_sheet(bytes);
});
