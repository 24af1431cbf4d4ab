/* Division of 64-bit numbers, which the compiler calls by these names where the processor divides at most 64 bits by 32. */
#include <stdint.h>

uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t *remainder);
uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);
int64_t __divdi3(int64_t dividend, int64_t divisor);
int64_t __moddi3(int64_t dividend, int64_t divisor);

/* high:low by divisor; high is less than the divisor, so that the quotient has 32 bits. */
static inline uint32_t divide(uint32_t high, uint32_t low, uint32_t divisor, uint32_t *remainder)
{
    uint32_t quotient;

    __asm__("divl %4" : "=a"(quotient), "=d"(*remainder) : "0"(low), "1"(high), "r"(divisor) : "cc");
    return quotient;
}

uint64_t __udivmoddi4(uint64_t dividend, uint64_t divisor, uint64_t *remainder)
{
    uint32_t high = dividend >> 32, upper = divisor >> 32, rest;
    uint64_t quotient;

    if (upper == 0) {
        uint32_t first = divide(0, high, divisor, &rest);

        quotient = (uint64_t)first << 32;
        quotient |= divide(rest, dividend, divisor, &rest);
        if (remainder)
            *remainder = rest;
        return quotient;
    }
    /* The quotient has less than 32 bits. By the first 32 bits of the divisor and half of the dividend it comes out right or one too large. */
    unsigned unused = __builtin_clz(upper);
    uint32_t leading = divisor << unused >> 32;
    uint64_t half = dividend >> 1;

    quotient = (uint64_t)divide(half >> 32, half, leading, &rest) << unused >> 31;
    if (quotient != 0)
        quotient--;
    dividend -= quotient * divisor;
    if (dividend >= divisor) {
        dividend -= divisor;
        quotient++;
    }
    if (remainder)
        *remainder = dividend;
    return quotient;
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor) { return __udivmoddi4(dividend, divisor, 0); }

uint64_t __umoddi3(uint64_t dividend, uint64_t divisor)
{
    uint64_t remainder;

    __udivmoddi4(dividend, divisor, &remainder);
    return remainder;
}

static inline uint64_t magnitude(int64_t value) { return value < 0 ? -(uint64_t)value : (uint64_t)value; }

int64_t __divdi3(int64_t dividend, int64_t divisor)
{
    uint64_t quotient = __udivdi3(magnitude(dividend), magnitude(divisor));

    return (dividend < 0) != (divisor < 0) ? -quotient : quotient;
}

int64_t __moddi3(int64_t dividend, int64_t divisor)
{
    uint64_t remainder = __umoddi3(magnitude(dividend), magnitude(divisor));

    return dividend < 0 ? -remainder : remainder;
}
