/*
 * Work of many kinds, as kernels and programs have it: hashing, sorting through callbacks, compression, long numbers, trees, strings,
 * an interpreter, formatting, locks, exceptions and rings. Every part checks its result. It is also what the launcher's JVM is trained
 * with, so it executes what guests commonly execute.
 */
#include "bare.h"
#include "random.h"

#define ROUNDS 6
#define TEXT_SIZE 16384u

static uint8_t text[TEXT_SIZE], packed[2 * TEXT_SIZE], unpacked[TEXT_SIZE];
static uint64_t seed = 88172645463325252u;

/* What the compiler may call, and programs do. */
void *memcpy(void *to, const void *from, unsigned long count) {
    void *result = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
    return result;
}

void *memset(void *to, int value, unsigned long count) {
    void *result = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    return result;
}

static unsigned long length(const char *s) {
    unsigned long n = 0;
    while (s[n]) n++;
    return n;
}

static int compare_strings(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

/* ---- SHA-256 (FIPS 180-4); the constants are the fractions of roots of primes, computed below in fixed point ---- */

static uint32_t sha_constants[64], sha_start[8];

/* Bits 1 to 32 behind the point of the root of n of the degree, 2 or 3. */
static uint32_t root_fraction(uint64_t n, int degree) {
    unsigned __int128 low = 0, high = (unsigned __int128)24 << 32;
    while (high - low > 1) {
        unsigned __int128 middle = (low + high) / 2;
        bool above = degree == 2 ? middle * middle > (unsigned __int128)n << 64
                                 : middle * middle * middle > (unsigned __int128)n << 96;
        if (above) high = middle;
        else low = middle;
    }
    return (uint32_t)low;
}

static void prepare_sha(void) {
    int found = 0;
    for (uint64_t n = 2; found < 64; n++) {
        bool prime = true;
        for (uint64_t d = 2; d * d <= n; d++) prime &= n % d != 0;
        if (!prime) continue;
        sha_constants[found] = root_fraction(n, 3);
        if (found < 8) sha_start[found] = root_fraction(n, 2);
        found++;
    }
}

static uint32_t rotate(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void sha_block(uint32_t state[8], const uint8_t *block) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) +
                      sha_constants[i] + w[i];
        uint32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        for (int k = 7; k > 0; k--) s[k] = s[k - 1];
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

static void hashing(void) {
    uint8_t abc[64] = {'a', 'b', 'c', 0x80};
    uint32_t state[8];
    abc[63] = 24;
    memcpy(state, sha_start, sizeof state);
    sha_block(state, abc);
    check_equal(state[0], 0xba7816bf, "SHA-256 of abc");
    check_equal(state[7], 0xf20015ad, "SHA-256 of abc, end");
    for (unsigned at = 0; at < TEXT_SIZE; at += 64) sha_block(state, text + at);
    uint32_t table[256], crc = ~0u;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
        table[i] = value;
    }
    for (const char *s = "123456789"; *s; s++) crc = table[(uint8_t)crc ^ (uint8_t)*s] ^ crc >> 8;
    check_equal(~crc, 0xcbf43926, "CRC-32");
}

/* ---- sorting ---- */

struct record {
    uint32_t key, count;
    char name[16];
    struct record *left, *right, *next;
};

static struct record records[1024], *order[1024];

static int by_key(const struct record *a, const struct record *b) { return a->key < b->key ? -1 : a->key > b->key; }
static int by_name(const struct record *a, const struct record *b) { return compare_strings(a->name, b->name); }

static void sort(struct record **first, long count, int (*compare)(const struct record *, const struct record *)) {
    while (count > 1) {
        struct record *pivot = first[count / 2];
        long i = 0, j = count - 1;
        while (i <= j) {
            while (compare(first[i], pivot) < 0) i++;
            while (compare(first[j], pivot) > 0) j--;
            if (i <= j) {
                struct record *other = first[i];
                first[i++] = first[j];
                first[j--] = other;
            }
        }
        sort(first, j + 1, compare);
        first += i;
        count -= i;
    }
}

static unsigned format(char *to, uint64_t value, unsigned base) {
    char digits[24];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (unsigned i = 0; i < n; i++) to[i] = digits[n - 1 - i];
    to[n] = 0;
    return n;
}

static void sorting(void) {
    for (int i = 0; i < 1024; i++) {
        records[i].key = (uint32_t)next_random(&seed);
        format(records[i].name, records[i].key & 0xfffffff, i & 1 ? 10 : 16);
        order[i] = &records[i];
    }
    sort(order, 1024, by_key);
    for (int i = 1; i < 1024; i++)
        if (order[i - 1]->key > order[i]->key) fail("sorted by key");
    sort(order, 1024, by_name);
    for (int i = 1; i < 1024; i++)
        if (compare_strings(order[i - 1]->name, order[i]->name) > 0) fail("sorted by name");
}

/* ---- a tree and a hash table of the same records ---- */

static struct record *buckets[256];

static unsigned bucket_of(const char *name) {
    uint32_t hash = 2166136261u;
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash >> 24;
}

static void searching(void) {
    struct record *root = 0;
    memset(buckets, 0, sizeof buckets);
    for (int i = 0; i < 1024; i++) {
        struct record *record = &records[i], **at = &root;
        record->left = record->right = 0;
        record->count = 0;
        while (*at) at = record->key < (*at)->key ? &(*at)->left : &(*at)->right;
        *at = record;
        unsigned bucket = bucket_of(record->name);
        record->next = buckets[bucket];
        buckets[bucket] = record;
    }
    unsigned found = 0;
    for (int i = 0; i < 1024; i++) {
        struct record *at = root;
        while (at && at->key != records[i].key) at = records[i].key < at->key ? at->left : at->right;
        if (at) at->count++;
        for (at = buckets[bucket_of(records[i].name)]; at; at = at->next)
            if (length(at->name) == length(records[i].name) && !compare_strings(at->name, records[i].name)) {
                found++;
                break;
            }
    }
    check_equal(found, 1024, "records in the hash table");
}

/* ---- compression: a byte of flags for eight literals or pairs of distance and length ---- */

static unsigned compress(const uint8_t *from, unsigned size, uint8_t *to) {
    static uint16_t last[4096];
    unsigned at = 0, out = 0;
    memset(last, 0, sizeof last);
    while (at < size) {
        unsigned flags_at = out++;
        uint8_t flags = 0;
        for (int bit = 0; bit < 8 && at < size; bit++) {
            unsigned best = 0, distance = 0;
            if (at + 4 <= size) {
                uint32_t four = *(const uint32_t *)(from + at);
                unsigned slot = four * 2654435761u >> 20;
                unsigned candidate = last[slot];
                last[slot] = (uint16_t)at;
                distance = at - candidate;
                if (candidate < at)
                    while (best < 255 && at + best < size && from[candidate + best] == from[at + best]) best++;
            }
            if (best >= 4) {
                flags |= 1 << bit;
                *(uint16_t *)(to + out) = (uint16_t)distance;
                to[out + 2] = (uint8_t)best;
                out += 3;
                at += best;
            } else {
                to[out++] = from[at++];
            }
        }
        to[flags_at] = flags;
    }
    return out;
}

static void decompress(const uint8_t *from, uint8_t *to, unsigned size) {
    unsigned at = 0;
    while (at < size) {
        unsigned flags = *from++;
        for (int bit = 0; bit < 8 && at < size; bit++, flags >>= 1) {
            if (flags & 1) {
                unsigned distance = *(const uint16_t *)from, count = from[2];
                from += 3;
                if (distance >= 8)
                    for (; count >= 8; count -= 8, at += 8) *(uint64_t *)(to + at) = *(uint64_t *)(to + at - distance);
                for (; count; count--, at++) to[at] = to[at - distance];
            } else {
                to[at++] = *from++;
            }
        }
    }
}

static void compressing(void) {
    unsigned size = compress(text, TEXT_SIZE, packed);
    check(size < TEXT_SIZE, "the text got smaller");
    memset(unpacked, 0, TEXT_SIZE);
    decompress(packed, unpacked, TEXT_SIZE);
    for (unsigned i = 0; i < TEXT_SIZE; i++)
        if (text[i] != unpacked[i]) fail("what was compressed came back");
}

/* ---- long numbers: a power modulo 2^521 - 1, a prime, whose order divides that minus one ---- */

#define LIMBS 9

static void multiply(uint64_t *result, const uint64_t *a, const uint64_t *b) {
    uint64_t product[2 * LIMBS] = {0};
    for (int i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < LIMBS; j++) {
            unsigned __int128 sum = (unsigned __int128)a[i] * b[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        product[i + LIMBS] = carry;
    }
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        uint64_t high = product[i + LIMBS - 1] >> 9 | (i + LIMBS < 2 * LIMBS ? product[i + LIMBS] << 55 : 0);
        uint64_t low = i == LIMBS - 1 ? product[i] & 0x1ff : product[i];
        unsigned __int128 sum = (unsigned __int128)low + high + carry;
        result[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    carry = result[LIMBS - 1] >> 9;
    result[LIMBS - 1] &= 0x1ff;
    for (int i = 0; carry && i < LIMBS; i++) {
        result[i] += carry;
        carry = result[i] < carry;
    }
}

static void long_numbers(void) {
    uint64_t base[LIMBS], power[LIMBS] = {1};
    for (int i = 0; i < LIMBS; i++) base[i] = next_random(&seed);
    base[LIMBS - 1] &= 0xff;
    /* To the 2^521 - 2: every bit but the lowest. */
    for (int bit = 0; bit < 521; bit++) {
        if (bit) multiply(power, power, base);
        multiply(base, base, base);
    }
    uint64_t rest = power[0] ^ 1;
    for (int i = 1; i < LIMBS; i++) rest |= power[i];
    check_equal(rest, 0, "Fermat's theorem modulo 2^521 - 1");
}

/* ---- an interpreter of a small stack machine ---- */

enum { PUSH, ADD, SUB, MUL, DUP, SWAP, JUMP_IF, STORE, FETCH, AND_, SHIFT, STOP };

static uint64_t interpret(const int8_t *program) {
    uint64_t stack[16], memory[4] = {0}, other;
    unsigned top = 0;
    for (const int8_t *at = program;;) {
        switch (*at++) {
            case PUSH: stack[top++] = (uint64_t)(int64_t)*at++; break;
            case ADD: top--, stack[top - 1] += stack[top]; break;
            case SUB: top--, stack[top - 1] -= stack[top]; break;
            case MUL: top--, stack[top - 1] *= stack[top]; break;
            case DUP: stack[top] = stack[top - 1], top++; break;
            case SWAP: other = stack[top - 1], stack[top - 1] = stack[top - 2], stack[top - 2] = other; break;
            case JUMP_IF: at = stack[--top] ? at + *at : at + 1; break;
            case STORE: memory[*at++ & 3] = stack[--top]; break;
            case FETCH: stack[top++] = memory[*at++ & 3]; break;
            case AND_: top--, stack[top - 1] &= stack[top]; break;
            case SHIFT: top--, stack[top - 1] >>= stack[top] & 63; break;
            default: return memory[0];
        }
    }
}

static void interpreting(void) {
    /* The sum of i * i for i from 100 * 100 down to 1. */
    static const int8_t program[] = {PUSH, 100, DUP, MUL, STORE, 1, FETCH, 1, DUP, MUL, FETCH, 0, ADD, STORE, 0,
                                     FETCH, 1, PUSH, 1, SUB, DUP, STORE, 1, JUMP_IF, -18, STOP};
    check_equal(interpret(program), 333383335000u, "the sum of squares");
}

/* ---- bits, locks and counters ---- */

static uint64_t bitmap[64];
static uint32_t lock;
static uint64_t counter;

static void bits_and_locks(void) {
    memset(bitmap, 0, sizeof bitmap);
    unsigned set = 0, found = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t bit = next_random(&seed) & 4095;
        bool was;
        asm volatile("lock bts %2, %1" : "=@ccc"(was), "+m"(bitmap) : "r"(bit));
        set += !was;
        uint32_t free = 0;
        asm volatile("lock cmpxchg %2, %1" : "+a"(free), "+m"(lock) : "r"(1) : "cc");
        check(free == 0, "the lock was free");
        counter++;
        asm volatile("pause");
        *(volatile uint32_t *)&lock = 0;
        uint64_t one = 1;
        asm volatile("lock xadd %0, %1" : "+r"(one), "+m"(counter)::"cc");
    }
    for (int i = 0; i < 64; i++)
        for (uint64_t word = bitmap[i]; word; word &= word - 1) found += (uint64_t)__builtin_ctzll(word) < 64;
    check_equal(found, set, "bits that were set");
}

/* ---- exceptions, ring 3, the clock ---- */

USER_DATA_SECTION static volatile uint64_t user_total;

USER static void user_code(void) {
    uint64_t total = 0;
    for (uint64_t i = 0; i < 1000; i++) total += i & 1 ? i : i * 3;
    user_total += total;
    USER_RETURN();
}

static void rings(void) {
    uint64_t total = user_total;
    for (int i = 0; i < 20; i++) run_user(user_code);
    check_equal(user_total - total, 20 * 998500, "what ring 3 computed");
    for (int i = 0; i < 50; i++) check_equal(TRY("ud2", , ), UD_VECTOR, "an undefined instruction");
    uint64_t before = __builtin_ia32_rdtsc();
    check(cpuid(0, 0).a >= 1, "CPUID");
    check(__builtin_ia32_rdtsc() > before, "time goes on");
}

void test(void) {
    prepare_sha();
    for (unsigned i = 0; i < TEXT_SIZE;) {
        char number[24];
        unsigned digits = format(number, next_random(&seed) & 1023, 10);
        for (unsigned k = 0; k <= digits && i < TEXT_SIZE; k++) text[i++] = k < digits ? (uint8_t)number[k] : ' ';
    }
    for (int i = 0; i < ROUNDS; i++) {
        hashing();
        sorting();
        searching();
        compressing();
        long_numbers();
        interpreting();
        bits_and_locks();
        rings();
    }
    check_equal(counter, 2000 * ROUNDS, "what was counted");
}
