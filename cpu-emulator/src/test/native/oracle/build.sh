#!/bin/sh
# Builds the silicon runner: build.sh OUTPUT. The same compiler gives the same bytes, wherever it runs.
set -eu
case $1 in
    /*) output=$1 ;;
    *) output=$PWD/$1 ;;
esac
cd "$(dirname "$0")"
exec "${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -march=x86-64 -mfsgsbase -mgeneral-regs-only -ffreestanding -fno-builtin \
    -fpie -fvisibility=hidden -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -fno-ident \
    -nostdlib -static -no-pie -Wl,-T,runner.ld -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro -s \
    -o "$output" entry.S runner.c
