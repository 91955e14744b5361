use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use hqv_sys::memory::{
    LockedBuf, LockedBytes, WipingAllocator, give_back, lock_failed, scrub_stack, tune, wipe,
};
use hqv_sys::ordinary::in_child;
use rustix::process::{Resource, Rlimit, setrlimit};

fn page_of(bytes: &[u8]) -> usize {
    bytes.as_ptr() as usize & !4095
}

/// The `VmFlags` of the mapping that holds `bytes`.
fn flags_of(bytes: &[u8]) -> Vec<String> {
    let at = bytes.as_ptr() as usize;
    let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut inside = false;
    for line in smaps.lines() {
        if let Some((from, to)) = line.split(' ').next().and_then(|range| range.split_once('-'))
            && let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16))
        {
            inside = (from..to).contains(&at);
        } else if inside && line.starts_with("VmFlags:") {
            return line.split_ascii_whitespace().skip(1).map(String::from).collect();
        }
    }
    panic!("no mapping holds {at:x}");
}

#[test]
fn mm1_mm4_keys_are_locked_and_not_dumped() {
    let ordinary = vec![1u8; 64];
    assert!(!flags_of(&ordinary).iter().any(|flag| flag == "lo" || flag == "dd"));
    let key = LockedBytes::<32>::from_slice(&[7; 32]).unwrap();
    let long = LockedBuf::from_vec_wiping(vec![7; 100_000]);
    for bytes in [key.expose().as_slice(), long.expose()] {
        let flags = flags_of(bytes);
        for flag in ["lo", "dd", "wf"] {
            assert!(flags.iter().any(|have| have == flag), "{flag} is missing: {flags:?}");
        }
        assert!(bytes.iter().all(|byte| *byte == 7));
    }
}

#[test]
fn a_dozen_keys_share_one_or_two_pages() {
    in_child("memory::a_dozen_keys_share_one_or_two_pages", || {
        let keys: Vec<_> = (0..12).map(|n| LockedBytes::<32>::from_slice(&[n; 32]).unwrap()).collect();
        let mut pages: Vec<_> = keys.iter().map(|key| page_of(key.expose())).collect();
        pages.dedup();
        assert!(pages.len() <= 2, "{pages:x?}");
        assert!(keys.iter().zip(0..).all(|(key, n)| *key.expose() == [n; 32]));
    });
}

#[test]
fn pieces_are_reused_zeroed_and_never_overlap() {
    in_child("memory::pieces_are_reused_zeroed_and_never_overlap", || {
        let first = LockedBytes::<32>::from_slice(&[9; 32]).unwrap();
        let at = first.expose().as_ptr();
        drop(first);
        let second = LockedBytes::<32>::zeroed();
        assert_eq!(second.expose().as_ptr(), at);
        assert_eq!(*second.expose(), [0; 32]);

        let mut held = Vec::new();
        for round in 0..2_000usize {
            let len = (round * 37) % 1500;
            held.push((round as u8, LockedBuf::from_vec_wiping(vec![round as u8; len])));
            if round % 3 == 0 {
                held.swap_remove(round % held.len());
            }
        }
        assert!(held.iter().all(|(value, buf)| buf.expose().iter().all(|byte| byte == value)));
    });
}

#[test]
fn pages_are_given_back() {
    in_child("memory::pages_are_given_back", || {
        let mappings = || fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        let _one = LockedBytes::<32>::zeroed();
        let before = mappings();
        let many: Vec<_> = (0..2_000).map(|_| LockedBytes::<64>::zeroed()).collect();
        assert!(mappings() > before + 20);
        drop(many);
        assert!(mappings() <= before + 4, "{} after {before}", mappings());
    });
}

#[test]
fn guards_stand_on_both_sides() {
    let key = LockedBytes::<32>::zeroed();
    let page = page_of(key.expose());
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let closed = |end: &dyn Fn(usize, usize) -> bool| {
        maps.lines().any(|line| {
            let (range, rest) = line.split_once(' ').unwrap();
            let (from, to) = range.split_once('-').unwrap();
            let number = |text| usize::from_str_radix(text, 16).unwrap();
            rest.starts_with("---p") && end(number(from), number(to))
        })
    };
    assert!(closed(&|from, to| (from..to).contains(&(page - 1))));
    assert!(closed(&|from, to| (from..to).contains(&(page + 4096))));
}

#[test]
fn lengths_must_match_and_nothing_is_shown() {
    assert!(LockedBytes::<32>::from_slice(&[1; 31]).is_none());
    assert!(LockedBytes::<32>::from_slice(&[1; 33]).is_none());
    assert_eq!(format!("{:?}", LockedBytes::<2>::from_slice(b"ab").unwrap()), "[locked]");
    assert_eq!(format!("{:?}", LockedBuf::from_vec_wiping(b"ab".to_vec())), "[locked]");
    assert!(LockedBuf::with_capacity(0).expose().is_empty());
    assert_eq!(*LockedBytes::<0>::zeroed().expose(), [0u8; 0]);
}

#[test]
fn mm4_memory_works_where_the_lock_is_refused() {
    in_child("memory::mm4_memory_works_where_the_lock_is_refused", || {
        assert!(!lock_failed());
        setrlimit(Resource::Memlock, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
        let mut key = LockedBytes::<32>::from_slice(&[3; 32]).unwrap();
        assert!(lock_failed());
        assert!(!flags_of(key.expose()).iter().any(|flag| flag == "lo"));
        assert!(flags_of(key.expose()).iter().any(|flag| flag == "dd"));
        key.expose_mut()[0] = 4;
        assert_eq!(key.expose()[..2], [4, 3]);
        assert_eq!(LockedBuf::from_vec_wiping(vec![5; 9_000]).expose().len(), 9_000);
    });
}

/// How often a canary stands in this process's writable memory. The canary itself is held only masked, and
/// the room that memory is read into is a mapping of its own, which is left out and wiped.
fn count_in_memory(masked: &[u8; 32]) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let memory = fs::File::open("/proc/self/mem").unwrap();
    let mut room = LockedBuf::with_capacity(1 << 20);
    let own = room.expose().as_ptr() as u64;
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        // Pieces overlap by one byte less than a canary, so that none is missed or counted twice.
        for at in (from..to).step_by((1 << 20) - 31).filter(|_| !(from..to).contains(&own)) {
            let len = usize::try_from((to - at).min(1 << 20)).unwrap();
            let got = memory.read_at(&mut room.expose_mut()[..len], at).unwrap_or(0);
            found += count_in(&room.expose()[..got], masked);
        }
    }
    found
}

/// By its first two bytes, which are no canary, then by the mask.
fn count_in(mut place: &[u8], masked: &[u8; 32]) -> usize {
    let start = [masked[0] ^ 0xa5, masked[1] ^ 0xa5];
    let mut found = 0;
    while let Some(at) = hqv_sys::search::find(place, &start) {
        let part = &place[at..];
        found +=
            usize::from(part.len() >= 32 && part.iter().zip(masked).all(|(byte, mask)| byte ^ 0xa5 == *mask));
        place = &part[1..];
    }
    found
}

fn masked_canary() -> [u8; 32] {
    let mut masked = [0u8; 32];
    hqv_sys::random::fill(&mut masked).unwrap();
    masked
}

fn unmask(masked: &[u8; 32], into: &mut [u8]) {
    for (byte, mask) in into.iter_mut().zip(masked.iter()) {
        *byte = mask ^ 0xa5;
    }
}

#[test]
fn mm1_freed_memory_is_wiped() {
    in_child("memory::mm1_freed_memory_is_wiped", || {
        let masked = masked_canary();
        assert_eq!(count_in_memory(&masked), 0);
        let mut value = vec![0u8; 100];
        unmask(&masked, &mut value[40..72]);
        assert_eq!(count_in_memory(&masked), 1, "the search does not see what is there");
        for n in 0..20_000u32 {
            value.push(n as u8); // grows, moves
        }
        assert_eq!(count_in_memory(&masked), 1, "growing left a copy behind");
        value.truncate(80);
        value.shrink_to_fit();
        assert_eq!(count_in_memory(&masked), 1, "shrinking left a copy behind");
        drop(value);
        assert_eq!(count_in_memory(&masked), 0, "freeing left it behind");

        // Large blocks, whose pages are handed back: at both ends and in the middle; grown and shrunk.
        for at in [0usize, 5 << 20, (20 << 20) - 32] {
            let mut large = vec![1u8; 20 << 20];
            unmask(&masked, &mut large[at..at + 32]);
            large.reserve_exact(1 << 20);
            assert_eq!(count_in_memory(&masked), 1, "growing a large block left a copy behind");
            drop(large);
            assert_eq!(count_in_memory(&masked), 0, "freeing a large block left it behind");
        }

        // The same without wiping: shows that freed memory is searched too.
        let layout = Layout::from_size_align(100, 8).unwrap();
        let block = unsafe {
            let block = System.alloc(layout);
            unmask(&masked, std::slice::from_raw_parts_mut(block.add(40), 32));
            System.dealloc(block, layout);
            block
        };
        assert!(!block.is_null());
        assert_eq!(count_in_memory(&masked), 1);
    });
}

#[test]
fn mm1_locked_memory_is_wiped_on_drop() {
    in_child("memory::mm1_locked_memory_is_wiped_on_drop", || {
        let masked = masked_canary();
        let mut key = LockedBytes::<32>::zeroed();
        let _keeps_the_page = LockedBytes::<32>::zeroed();
        unmask(&masked, key.expose_mut());
        assert_eq!(count_in_memory(&masked), 1);
        drop(key);
        assert_eq!(count_in_memory(&masked), 0);
    });
}

#[inline(never)]
fn leave_on_the_stack(masked: &[u8; 32]) {
    // The deep end of a large frame, so that the search's own calls do not reach it.
    let mut frame = [0u8; 40_000];
    unmask(masked, &mut frame[100..132]);
    std::hint::black_box(&frame);
}

#[test]
fn mm1_the_stack_is_scrubbed() {
    in_child("memory::mm1_the_stack_is_scrubbed", || {
        let masked = masked_canary();
        leave_on_the_stack(&masked);
        assert_eq!(count_in_memory(&masked), 1, "the stack is not searched");
        scrub_stack();
        assert_eq!(count_in_memory(&masked), 0);
    });
}

#[test]
fn the_allocator_keeps_its_contract() {
    let layout = Layout::from_size_align(100, 4096).unwrap();
    unsafe {
        let block = WipingAllocator.alloc_zeroed(layout);
        assert_eq!(block as usize % 4096, 0);
        assert!(std::slice::from_raw_parts(block, 100).iter().all(|byte| *byte == 0));
        block.write_bytes(0x5a, 100);
        let block = WipingAllocator.realloc(block, layout, 100_000);
        assert_eq!(block as usize % 4096, 0);
        assert!(std::slice::from_raw_parts(block, 100).iter().all(|byte| *byte == 0x5a));
        WipingAllocator.dealloc(block, Layout::from_size_align(100_000, 4096).unwrap());
    }
}

#[test]
fn large_blocks_cost_little_to_free() {
    let layout = Layout::from_size_align(256 << 20, 64).unwrap();
    let block = unsafe { WipingAllocator.alloc(layout) };
    assert!(!block.is_null());
    unsafe { block.write_bytes(7, 64 << 20) };
    let start = Instant::now();
    unsafe { WipingAllocator.dealloc(block, layout) };
    // Overwriting would touch 192 MiB that were never used.
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
}

#[test]
fn wiping_is_as_fast_as_memory() {
    let mut block = vec![1u8; 64 << 20];
    let start = Instant::now();
    wipe(&mut block);
    let took = start.elapsed();
    assert!(block.iter().all(|byte| *byte == 0));
    // A loop of volatile byte stores takes more than a second in a test build; memory takes 10 milliseconds.
    assert!(took < Duration::from_millis(400), "{took:?} for 64 MiB");
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn mm5_memory_is_given_back() {
    in_child("memory::mm5_memory_is_given_back", || {
        tune();
        let before = resident_kib();
        let small: Vec<_> = (0..20_000).map(|_| vec![1u8; 3_000]).collect();
        let large = vec![1u8; 64 << 20];
        assert!(resident_kib() > before + 100_000);
        drop(large);
        drop(small);
        give_back();
        assert!(resident_kib() < before + 8_000, "{} KiB after {before}", resident_kib());
    });
}
