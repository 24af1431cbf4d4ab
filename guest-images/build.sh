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
    case $guest in runtime | bare) continue ;; esac
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

# Bare guests: Multiboot kernels, which are ELF32 even where they go on to 64-bit mode. Those in protected and real mode are loaded
# below 1 MiB.
compile_bare() {
    mode=$1
    shift
    gcc -std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie -mgeneral-regs-only -mno-red-zone -fno-stack-protector \
        -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-delete-null-pointer-checks \
        -fno-toplevel-reorder -ffile-prefix-map="$sources"=. -Wall -Wextra -Werror -Ibare/runtime "$mode" "$@"
}

link_bare() {
    ld -m "$1" -T bare/runtime/bare.ld --defsym=LOAD_ADDRESS="$2" --build-id=none -z noexecstack \
        -z max-page-size=0x1000 --no-warn-rwx-segments -o "$objects/linked" "$objects"/bare-*.o
    objcopy --strip-all -O elf32-i386 "$objects/linked" "$images/bare/$3.elf"
    chmod 644 "$images/bare/$3.elf"
    rm "$objects"/bare-*.o
}

mkdir -p "$images/bare"
for source in bare/long/*.c bare/kernels/*.c bare/protected/*.c; do
    guest=${source##*/}
    guest=${guest%.c}
    case $source in
        bare/protected/*) mode=-m32 start=start32 format=elf_i386 address=0x40000 ;;
        *) mode=-m64 start=start64 format=elf_x86_64 address=0x100000 ;;
    esac
    case $source in
        bare/kernels/*) compile_bare "$mode" -c bare/runtime/kernel.c -o "$objects/bare-kernel.o" ;;
    esac
    compile_bare "$mode" -c bare/runtime/$start.S -o "$objects/bare-start.o"
    compile_bare "$mode" -DGUEST="\"$guest\"" -c bare/runtime/bare.c -o "$objects/bare-runtime.o"
    compile_bare "$mode" -c "$source" -o "$objects/bare-test.o"
    link_bare "$format" "$address" "$guest"
done
for source in bare/real/*.S; do
    guest=${source##*/}
    compile_bare -m32 -c "$source" -o "$objects/bare-test.o"
    link_bare elf_i386 0x8000 "${guest%.S}"
done

gzip -9nc "$images/hello.elf" > "$images/hello.elf.gz"

{
    gcc --version | head -n 1
    ld --version | head -n 1
    gzip --version | head -n 1
} > "$images/TOOLCHAIN"
