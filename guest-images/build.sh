#!/bin/sh
# Builds the bundled guests from src/main/guest into images/ (or into the directory given), byte for byte the same on
# each machine with the compiler that images/TOOLCHAIN records.
set -eu
export LC_ALL=C

home=$(cd "$(dirname "$0")" && pwd)
sources=$home/src/main/guest
images=${1:-$home/images}
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

mkdir -p "$images"
cd "$sources"

# General registers only: a PV guest that never touches the FPU needs no lazy FPU switching. No red zone: Xen pushes
# trap frames at the stack pointer. Code model "kernel": linked into the last 2 GB of the address space.
compile() {
    gcc -std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mgeneral-regs-only -mno-red-zone \
        -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing \
        -fno-delete-null-pointer-checks -ffunction-sections -fdata-sections -ffile-prefix-map="$sources"=. \
        -Wall -Wextra -Werror -Iruntime -c "$1" -o "$2"
}

for source in runtime/*.c runtime/*.S; do
    name=${source#runtime/}
    compile "$source" "$objects/runtime-${name%.*}.o"
done

for guest in */; do
    guest=${guest%/}
    [ "$guest" = runtime ] && continue
    for source in "$guest"/*.c "$guest"/*.S; do
        [ -e "$source" ] || continue
        name=${source#"$guest"/}
        compile "$source" "$objects/$guest-${name%.*}.o"
    done
    ld -T runtime/guest.ld --gc-sections --build-id=none -z noexecstack -z max-page-size=0x1000 --no-warn-rwx-segments \
        -o "$images/$guest.elf" "$objects"/runtime-*.o "$objects/$guest"-*.o
    strip --strip-all "$images/$guest.elf"
    chmod 644 "$images/$guest.elf"
done

gzip -9nc "$images/hello.elf" > "$images/hello.elf.gz"

{
    gcc --version | head -n 1
    ld --version | head -n 1
    gzip --version | head -n 1
} > "$images/TOOLCHAIN"
