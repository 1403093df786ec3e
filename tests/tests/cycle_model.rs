//! The plugin that counts cycles, on a program whose every instruction was counted by hand.

use std::fs;
use std::process::{Command, Stdio};

use refrain_tests::cycles::Plugin;
use refrain_trainer::device::Board;
use refrain_trainer::setup::qemu;

/// Where the stack begins, and the address to start at, odd because it is Thumb code.
const VECTORS: [u32; 2] = [0x2000_1000, 8 + 1];

/// Switches the FPU on, calls the function twice, and ends QEMU.
#[rustfmt::skip]
const MAIN: [u16; 12] = [
    0x4805,         // ldr r0, =0xe000ed88      CPACR
    0xf44f, 0x0170, // mov.w r1, #0x00f00000    both of the FPU's coprocessors
    0x6001,         // str r1, [r0]
    0x4804,         // ldr r0, =0x20000100      what the function reads and writes
    0xf000, 0xf80b, // bl function
    0xf000, 0xf809, // bl function
    0x4903,         // ldr r1, =0x20026         semihosting: the program has ended well
    0x2018,         // movs r0, #0x18
    0xbeab,         // bkpt #0xab
];

/// What [`MAIN`] loads, straight behind it.
const LITERALS: [u32; 3] = [0xe000_ed88, 0x2000_0100, 0x0002_0026];

/// Where the function begins.
const ADDRESS: u64 = 8 + 2 * MAIN.len() as u64 + 4 * LITERALS.len() as u64;

/// The function: each instruction, the cycles of all its turns together, and how many those are.
#[rustfmt::skip]
const FUNCTION: [(&[u16], u64, u64, &str); 38] = [
    (&[0xbf00],         1,  1, "nop"),
    (&[0x6801],         2,  1, "ldr r1, [r0]"),
    (&[0x6842],         1,  1, "ldr r2, [r0, #4]         straight after a load"),
    (&[0x6081],         1,  1, "str r1, [r0, #8]"),
    (&[0x8801],         1,  1, "ldrh r1, [r0]            straight after a store"),
    (&[0x2103],         1,  1, "movs r1, #3"),
    (&[0x5642],         2,  1, "ldrsb r2, [r0, r1]"),
    (&[0x5442],         1,  1, "strb r2, [r0, r1]"),
    (&[0xbf00],         1,  1, "nop"),
    (&[0xf8d0, 0x200c], 2,  1, "ldr.w r2, [r0, #12]"),
    (&[0xf8c0, 0x2010], 1,  1, "str.w r2, [r0, #16]"),
    (&[0xb570],         5,  1, "push {r4, r5, r6, lr}"),
    (&[0x6801],         2,  1, "ldr r1, [r0]             after more than one store"),
    (&[0xe8bd, 0x4070], 5,  1, "pop.w {r4, r5, r6, lr}"),
    (&[0xc80e],         4,  1, "ldmia r0!, {r1, r2, r3}"),
    (&[0x380c],         1,  1, "subs r0, #12"),
    (&[0xe880, 0x001e], 5,  1, "stmia.w r0, {r1, r2, r3, r4}"),
    (&[0xe9d0, 0x2302], 3,  1, "ldrd r2, r3, [r0, #8]"),
    (&[0xe8e0, 0x2302], 3,  1, "strd r2, r3, [r0], #8"),
    (&[0x3808],         1,  1, "subs r0, #8"),
    (&[0xfb22, 0x1103], 1,  1, "smlad r1, r2, r3, r1"),
    (&[0xfb83, 0x1201], 1,  1, "smull r1, r2, r3, r1"),
    (&[0xfbb2, 0xf1f3], 7,  1, "udiv r1, r2, r3"),
    (&[0xfb92, 0xf1f3], 7,  1, "sdiv r1, r2, r3"),
    (&[0xed90, 0x0a00], 2,  1, "vldr s0, [r0]"),
    (&[0xed80, 0x0a01], 1,  1, "vstr s0, [r0, #4]"),
    (&[0xecd0, 0x0a03], 4,  1, "vldmia r0, {s1, s2, s3}"),
    (&[0xed2d, 0x8b02], 3,  1, "vpush {d8}"),
    (&[0xecbd, 0x8b02], 3,  1, "vpop {d8}"),
    (&[0xee70, 0x0a00], 1,  1, "vadd.f32 s1, s0, s0"),
    (&[0xeec0, 0x0a00], 14, 1, "vdiv.f32 s1, s0, s0"),
    (&[0xeef1, 0x0ac0], 14, 1, "vsqrt.f32 s1, s0"),
    (&[0x2800],         1,  1, "cmp r0, #0"),
    (&[0xd000],         1,  1, "beq, not taken"),
    (&[0x2103],         1,  1, "movs r1, #3"),
    (&[0x3901],         3,  3, "1: subs r1, #1           three turns"),
    (&[0xd1fd],         7,  3, "bne 1b                   taken twice"),
    (&[0x4770],         1,  1, "bx lr                    the way back is the caller's"),
];

#[test]
fn every_kind_of_instruction_costs_what_the_model_says() {
    let board = Board::Mps2An386;
    let qemu =
        qemu(board.name(), board.minimum_qemu()).expect("QEMU is there, or the error says how to get it");
    let plugin = match Plugin::new(&qemu) {
        Ok(plugin) => plugin,
        Err(error) if error.is_lack_of_tools() => {
            eprintln!("the cycles of the model were left out: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let [program, counts] = ["program.bin", "counts.txt"].map(|name| folder.path().join(name));
    fs::write(&program, bytes()).unwrap();
    let status = Command::new(&qemu.program)
        .args(["-M", board.name(), "-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native"])
        .arg("-kernel")
        .arg(&program)
        .args(["-plugin", &plugin.argument(ADDRESS, &counts)])
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let cycles: u64 = FUNCTION.iter().map(|(_, cycles, ..)| cycles).sum();
    let instructions: u64 = FUNCTION.iter().map(|(_, _, turns, _)| turns).sum();
    let call = format!("{instructions} {cycles}\n");
    assert_eq!(fs::read_to_string(&counts).unwrap(), call.repeat(2));
}

/// The program as it lies in memory from address 0 on.
fn bytes() -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let function: Vec<u16> = FUNCTION.iter().flat_map(|(code, ..)| code.iter().copied()).collect();
    let halves = |halves: &[u16]| halves.iter().flat_map(|half| half.to_le_bytes()).collect::<Vec<u8>>();
    [words(&VECTORS), halves(&MAIN), words(&LITERALS), halves(&function)].concat()
}
