package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.console.Log;
import dev.xenolith.hypervisor.console.XenVersion;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.SharedLayout;
import dev.xenolith.hypervisor.paging.VcpuTables;
import java.util.Locale;

/** Logs the state of a vCPU of a crashed domain as Xen does: registers, the words on its stack, the bytes at its RIP. */
public final class RegisterDump {
    private static final int STACK_WORDS = 20;
    private static final int WORDS_PER_LINE = 4;
    private static final int CODE_BEFORE = 8;
    private static final int CODE_AFTER = 16;

    private final Log log;
    private final PhysicalMemory ram;

    public RegisterDump(Log log, PhysicalMemory ram) {
        this.log = log;
        this.ram = ram;
    }

    /** Prints the context of {@code vcpu}, whose registers have been synchronised, with the help of any processor's MMU. */
    void print(Vcpu vcpu, PvProcessor processor) {
        PvContext c = vcpu.pv();
        Mmu mmu = processor.cpu.mmu();
        long[] r = c.gpr;
        line("----[ Xen-%d.%d  x86_64  debug=n  Not tainted ]----", XenVersion.MAJOR, XenVersion.MINOR);
        line("CPU:    %d", vcpu.processor());
        line("RIP:    %04x:[<%016x>]", c.selector[Processor.CS], c.rip);
        line("RFLAGS: %016x   EM: %d   CONTEXT: pv guest (d%dv%d)", c.rflags,
                vcpu.infoAddress < 0 ? 1 : ram.read8(vcpu.infoAddress + Xen.VcpuInfo.EVTCHN_UPCALL_MASK),
                vcpu.domain.domid, vcpu.id);
        line("rax: %016x   rbx: %016x   rcx: %016x", r[Processor.RAX], r[Processor.RBX], r[Processor.RCX]);
        line("rdx: %016x   rsi: %016x   rdi: %016x", r[Processor.RDX], r[Processor.RSI], r[Processor.RDI]);
        line("rbp: %016x   rsp: %016x   r8:  %016x", r[Processor.RBP], r[Processor.RSP], r[8]);
        line("r9:  %016x   r10: %016x   r11: %016x", r[9], r[10], r[11]);
        line("r12: %016x   r13: %016x   r14: %016x", r[12], r[13], r[14]);
        line("r15: %016x   cr0: %016x   cr4: %016x", r[15], c.cr0, c.cr4);
        VcpuTables tables = vcpu.tables();
        int root = c.kernelMode || tables.userRoot() == VcpuTables.NO_TABLE ? tables.walkRoot() : tables.userRoot();
        long cr3 = (long) root << PhysicalMemory.FRAME_SHIFT;
        SharedLayout layout = vcpu.domain.memory.sharedLayout();
        line("cr3: %016x   cr2: %016x", cr3,
                vcpu.infoAddress < 0 ? 0 : layout.read(ram, vcpu.infoAddress + layout.cr2));
        line("fsb: %016x   gsb: %016x   gss: %016x", c.fsBase, c.kernelMode ? c.gsBaseKernel : c.gsBaseUser,
                c.kernelMode ? c.gsBaseUser : c.gsBaseKernel);
        line("ds: %04x   es: %04x   fs: %04x   gs: %04x   ss: %04x   cs: %04x", c.selector[Processor.DS],
                c.selector[Processor.ES], c.selector[Processor.FS], c.selector[Processor.GS],
                c.selector[Processor.SS], c.selector[Processor.CS]);
        if (root != VcpuTables.NO_TABLE) {
            stack(mmu, cr3, r[Processor.RSP], layout);
            code(mmu, cr3, c.rip);
        }
    }

    private void stack(Mmu mmu, long root, long rsp, SharedLayout layout) {
        boolean wide = layout == SharedLayout.NATIVE;
        line(wide ? "Guest stack trace from rsp=%016x:" : "Guest stack trace from esp=%08x:", rsp);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < STACK_WORDS; i++) {
            long at = translate(mmu, root, rsp + (long) layout.wordBytes * i);
            if (at < 0 || (at & 0xfff) > 0x1000 - layout.wordBytes) {
                line("  %s  Fault while accessing guest memory.", text);
                return;
            }
            text.append(String.format(Locale.ROOT, wide ? " %016x" : " %08x", layout.read(ram, at)));
            if (i % WORDS_PER_LINE == WORDS_PER_LINE - 1) {
                line("  %s", text);
                text.setLength(0);
            }
        }
    }

    private void code(Mmu mmu, long root, long rip) {
        StringBuilder text = new StringBuilder();
        for (long at = rip - CODE_BEFORE; at < rip + CODE_AFTER; at++) {
            long physical = translate(mmu, root, at);
            String bytes = physical < 0 ? "??" : String.format(Locale.ROOT, "%02x", ram.read8(physical));
            text.append(at == rip ? " <" + bytes + ">" : " " + bytes);
        }
        line("Guest code around <%016x>:", rip);
        line("  %s", text);
    }

    private long translate(Mmu mmu, long root, long linear) {
        if (!GuestLinear.isGuestAddress(linear)) {
            return -1;
        }
        long physical = mmu.translate(root, linear, Mmu.READ, Mmu.SUPERVISOR);
        return physical >= 0 && ram.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT) ? physical : -1;
    }

    private void line(String format, Object... arguments) {
        log.print(String.format(Locale.ROOT, format, arguments));
    }
}
