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

# General registers only: a PV guest that never touches the FPU needs no lazy FPU switching. For 64 bits no red zone, for Xen pushes
# trap frames at the stack pointer, and code model "kernel": linked into the last 2 GB of the address space.
compile() {
    case $arch in
        x86_64) options="-m64 -mcmodel=kernel -mno-red-zone" ;;
        x86_32) options="-m32 -march=i686" ;;
    esac
    # shellcheck disable=SC2086 # several words
    gcc $options -std=gnu11 -O2 -ffreestanding -fno-pic -fno-pie -mgeneral-regs-only -fno-stack-protector \
        -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-delete-null-pointer-checks \
        -ffunction-sections -fdata-sections -ffile-prefix-map="$sources"=. -Wall -Wextra -Werror \
        -Iruntime -I"runtime/$arch" -I"${1%%/*}" -I"${1%%/*}/$arch" -c "$1" -o "$2"
}

# PV guests of one width: what is in a guest's directory is for both, what is in x86_64 or x86_32 below it is for one.
build_guests() {
    arch=$1
    target=$2
    mkdir -p "$target"
    for source in runtime/*.[cS] "runtime/$arch"/*.[cS]; do
        compile "$source" "$objects/$arch-runtime-$(flat "$source").o"
    done
    for guest in */; do
        guest=${guest%/}
        case $arch/$guest in
            */runtime | */bare) continue ;;
            x86_32/bench | x86_32/control | x86_32/torture | x86_32/victim) continue ;;
        esac
        for source in "$guest"/*.[cS] "$guest/$arch"/*.[cS]; do
            [ -e "$source" ] || continue
            compile "$source" "$objects/$arch-guest-$(flat "$source").o"
        done
        ld -m "$3" -L runtime -T "runtime/$arch/guest.ld" --gc-sections --build-id=none -z noexecstack -z max-page-size=0x1000 \
            --no-warn-rwx-segments -o "$target/$guest.elf" "$objects/$arch"-runtime-*.o "$objects/$arch-guest-$guest"-*.o
        strip --strip-all "$target/$guest.elf"
        chmod 644 "$target/$guest.elf"
    done
}

# A source's name with all directories in it, for that of an object.
flat() {
    echo "${1%.*}" | tr / -
}

build_guests x86_64 "$images" elf_x86_64
build_guests x86_32 "$images/pae" elf_i386

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
