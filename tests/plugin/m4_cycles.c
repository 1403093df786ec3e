/* A plugin for QEMU's TCG: what each call of one function costs on a Cortex-M4, in instructions and in cycles of a
 * model of that core with memory that never makes it wait.
 *
 *     cc -O2 -Wall -Wextra -shared -fPIC -o m4_cycles.so m4_cycles.c
 *     qemu-system-arm -M mps2-an386 ... -plugin ./m4_cycles.so,function=0xADDRESS,out=calls.txt
 *
 * `function` is the address of the function, as `nm` prints it. A call lasts from the function's first instruction to
 * the return to its caller, functions that it calls included; one call within another is part of it. `out` gets a
 * line for each call, its instructions and its cycles: "221324 283501".
 *
 * The model, after tables 3-1 and 7-1 of the Cortex-M4 Technical Reference Manual:
 *
 *     LDR, VLDR       2, and 1 straight after another single load or store, whose address phase it overlaps
 *     STR, VSTR       1: the write buffer takes it
 *     LDM, STM, PUSH, POP, LDRD, STRD, VLDM, VSTM     1 + the words that they move
 *     SDIV, UDIV      7, where the manual says 2 to 12
 *     VDIV, VSQRT     14
 *     any other       1, among them MUL, MLA, SMLAD and SMULL
 *     + 2 to refill the pipeline where the next instruction does not follow in memory, where the manual says 1 to 3
 *
 * It leaves out what depends on registers: the cycle for an address that the instruction before has computed, and that
 * an instruction which an IT block skips takes 1.
 *
 * Costs are added up once for each block that QEMU translates, and a block's sum each time it runs; only what depends
 * on the block before is found then. Interrupts within a call are counted as part of it.
 *
 * The declarations are those of version 3 of QEMU's plugin interface (qemu/qemu-plugin.h), of QEMU 9.1 and newer;
 * they stand here because distributions package that header nowhere near QEMU itself.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info; /* which machine QEMU emulates; not looked at */

enum callback_flags { NO_REGISTERS };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), enum callback_flags,
                                          void *);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *, void *, size_t);

EXPORT int qemu_plugin_version = 3;

/* Cycles. */
enum {
    SIMPLE = 1,
    SINGLE_LOAD = 2,
    OVERLAPPED_LOAD = 1,
    MULTIPLE = 1, /* and one for each word */
    INTEGER_DIVISION = 7,
    FLOAT_DIVISION = 14,
    REFILL = 2,
};

/* What an instruction does, as far as its cycles depend on it. */
enum kind {
    OTHER,
    LOAD,       /* one word or less */
    STORE,      /* one word or less */
    LIST,       /* a word for each bit that is set among the low 16 */
    SHORT_LIST, /* a word for each bit that is set among the low 8, or 9 */
    PAIR,       /* two words */
    FLOATS,     /* as many words as the low 8 bits say */
    DIVIDE,
    FLOAT_DIVIDE,
};

/* Instructions whose bits under the mask are these: of a long one the first half is the upper one. */
struct encoding {
    uint32_t mask, bits;
    enum kind kind;
};

/* Section A5.2 of the ARMv7-M Architecture Reference Manual; the first that fits counts. */
static const struct encoding SHORT[] = {
    {0xf800, 0x4800, LOAD},       /* LDR of a literal */
    {0xfc00, 0x5000, STORE},      /* STR, STRH: address in registers */
    {0xfe00, 0x5400, STORE},      /* STRB */
    {0xf000, 0x5000, LOAD},       /* LDRSB, LDR, LDRH, LDRB, LDRSH */
    {0xf800, 0x6000, STORE},      /* STR: offset in the instruction */
    {0xf800, 0x6800, LOAD},       /* LDR */
    {0xf800, 0x7000, STORE},      /* STRB */
    {0xf800, 0x7800, LOAD},       /* LDRB */
    {0xf800, 0x8000, STORE},      /* STRH */
    {0xf800, 0x8800, LOAD},       /* LDRH */
    {0xf800, 0x9000, STORE},      /* STR: offset from the stack pointer */
    {0xf800, 0x9800, LOAD},       /* LDR */
    {0xfe00, 0xb400, SHORT_LIST}, /* PUSH */
    {0xfe00, 0xbc00, SHORT_LIST}, /* POP */
    {0xf000, 0xc000, SHORT_LIST}, /* STM, LDM; bit 8 belongs to the base register, see short_list */
};

/* Sections A5.3 and A6.5 to A6.7. */
static const struct encoding LONG[] = {
    {0xffc00000, 0xe8800000, LIST},   /* STMIA, LDMIA */
    {0xffc00000, 0xe9000000, LIST},   /* STMDB, LDMDB */
    {0xfff00000, 0xe8400000, STORE},  /* STREX */
    {0xfff00000, 0xe8500000, LOAD},   /* LDREX */
    {0xfff000e0, 0xe8c00040, STORE},  /* STREXB, STREXH */
    {0xfff000e0, 0xe8d00040, LOAD},   /* LDREXB, LDREXH */
    {0xff400000, 0xe9400000, PAIR},   /* STRD, LDRD: offset or before */
    {0xff600000, 0xe8600000, PAIR},   /* STRD, LDRD: after */
    {0xfe100000, 0xf8000000, STORE},  /* STR, STRB, STRH */
    {0xfe100000, 0xf8100000, LOAD},   /* LDR, LDRB, LDRSB, LDRH, LDRSH */
    {0xfff0f0f0, 0xfb90f0f0, DIVIDE}, /* SDIV */
    {0xfff0f0f0, 0xfbb0f0f0, DIVIDE}, /* UDIV */
    {0xff300e00, 0xed000a00, STORE},  /* VSTR */
    {0xff300e00, 0xed100a00, LOAD},   /* VLDR */
    {0xff800e00, 0xec800a00, FLOATS}, /* VSTMIA, VLDMIA, VPOP */
    {0xffa00e00, 0xed200a00, FLOATS}, /* VSTMDB, VLDMDB, VPUSH */
    {0xffb00e50, 0xee800a00, FLOAT_DIVIDE}, /* VDIV */
    {0xffbf0ed0, 0xeeb10ac0, FLOAT_DIVIDE}, /* VSQRT */
};

/* What QEMU translates in one piece: its instructions run one after the other, from the first to the last. */
struct block {
    uint32_t start, end;   /* addresses: of its first instruction, and behind its last one */
    uint64_t instructions;
    uint64_t cycles;       /* as if nothing had run before it */
    bool begins_with_load; /* a single one */
    bool ends_with_single; /* load or store */
};

static uint32_t function;
static FILE *out;

static const struct block *before; /* the block that ran last */
static bool is_open;               /* a call goes on */
static uint32_t return_address;    /* of that call */
static uint64_t instructions, cycles; /* of that call so far */

static enum kind kind_of(uint32_t code, const struct encoding *encodings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((code & encodings[i].mask) == encodings[i].bits)
            return encodings[i].kind;
    return OTHER;
}

/* The bits of an instruction of 2 or 4 bytes: its halfwords are little-endian, the first one the upper one. */
static uint32_t code_of(const struct qemu_plugin_insn *insn, size_t size)
{
    uint8_t bytes[4] = {0};
    qemu_plugin_insn_data(insn, bytes, size);
    uint32_t first = bytes[0] | (uint32_t)bytes[1] << 8, second = bytes[2] | (uint32_t)bytes[3] << 8;
    return size == 4 ? first << 16 | second : first;
}

static enum kind kind_of_insn(uint32_t code, size_t size)
{
    if (size == 4)
        return kind_of(code, LONG, sizeof LONG / sizeof *LONG);
    return kind_of(code, SHORT, sizeof SHORT / sizeof *SHORT);
}

/* Words that a short instruction on a list moves: bit 8 stands for LR or PC in PUSH and POP alone. */
static unsigned short_list(uint32_t code)
{
    bool is_push_or_pop = (code & 0xf000) == 0xb000;
    return (unsigned)__builtin_popcount(code & (is_push_or_pop ? 0x1ff : 0xff));
}

static unsigned cycles_of(enum kind kind, uint32_t code, bool after_single)
{
    switch (kind) {
    case OTHER:
    case STORE:
        return SIMPLE;
    case LOAD:
        return after_single ? OVERLAPPED_LOAD : SINGLE_LOAD;
    case LIST:
        return MULTIPLE + (unsigned)__builtin_popcount(code & 0xffff);
    case SHORT_LIST:
        return MULTIPLE + short_list(code);
    case PAIR:
        return MULTIPLE + 2;
    case FLOATS:
        return MULTIPLE + (code & 0xff);
    case DIVIDE:
        return INTEGER_DIVISION;
    case FLOAT_DIVIDE:
        return FLOAT_DIVISION;
    }
    abort(); /* no other kind */
}

/* Opens or closes a call where control has come to `block`, and counts the block if it is part of one. */
static void executed(unsigned cpu, void *data)
{
    (void)cpu;
    const struct block *block = data;
    bool first = false;
    if (is_open && block->start == return_address) {
        is_open = false;
        fprintf(out, "%llu %llu\n", (unsigned long long)instructions, (unsigned long long)cycles);
    }
    if (!is_open && before && block->start == function) {
        is_open = first = true;
        return_address = before->end; /* the last instruction there is the call */
        instructions = cycles = 0;
    }
    if (is_open) {
        instructions += block->instructions;
        cycles += block->cycles;
        if (!first) { /* the call itself is the caller's, and so is what it costs to get here */
            cycles += block->start == before->end ? 0 : REFILL;
            cycles -= before->ends_with_single && block->begins_with_load ? SINGLE_LOAD - OVERLAPPED_LOAD : 0;
        }
    }
    before = block;
}

/* Adds up a block that QEMU is about to translate. It is kept as long as QEMU runs, since QEMU never says when it
 * drops one; there are a few thousand. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    struct block *block = calloc(1, sizeof *block);
    if (!block)
        abort();
    size_t count = qemu_plugin_tb_n_insns(tb);
    bool after_single = false;
    for (size_t i = 0; i < count; i++) {
        const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        size_t size = qemu_plugin_insn_size(insn);
        uint32_t address = (uint32_t)qemu_plugin_insn_vaddr(insn), code = code_of(insn, size);
        enum kind kind = kind_of_insn(code, size);
        if (i == 0) {
            block->start = address;
            block->begins_with_load = kind == LOAD;
        }
        block->cycles += cycles_of(kind, code, after_single);
        after_single = kind == LOAD || kind == STORE;
        block->end = address + (uint32_t)size;
    }
    block->instructions = count;
    block->ends_with_single = after_single;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, NO_REGISTERS, block);
}

static void finish(qemu_plugin_id_t id, void *data)
{
    (void)id, (void)data;
    if (fclose(out) != 0)
        perror("m4_cycles: the counts cannot be written");
}

/* The value of `argument` if it is "NAME=value", where `name` is "NAME=". */
static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        const char *value;
        if ((value = value_of(argv[i], "function=")))
            function = (uint32_t)strtoul(value, NULL, 0) & ~1u; /* without the bit that says Thumb */
        else if ((value = value_of(argv[i], "out=")))
            out = fopen(value, "w");
    }
    if (!function || !out) {
        fprintf(stderr, "m4_cycles: function=ADDRESS and out=FILE are needed, FILE one that can be written\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
