package dev.xenolith.dom0.build;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.dom0.support.FakeMapping;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.ElfNote;
import dev.xenolith.hypervisor.abi.HypercallPage;
import dev.xenolith.hypervisor.abi.Struct;
import dev.xenolith.hypervisor.abi.Xen.StartInfo;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.EventChannels;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the builder asks the hypervisor for, and what is in a domain's memory then; the hypervisor agrees to everything. */
class PvBuilderTest {
    private static final int DOMID = 7;
    private static final long MEMORY_KIB = 8 << 10;
    private static final long SHARED_INFO = 0x5_4321;
    private static final long FRAMES_4G = 1 << 20;

    @TempDir
    Path directory = Path.of("");

    /** A domain whose frames are pages of this test's. */
    private static final class FakeDomain {
        final Map<Long, FakePage> memory = new HashMap<>();
        final Map<Long, Long> frameNumbers = new HashMap<>();
        final List<String> calls = new ArrayList<>();
        final IntToLongFunction frames;
        byte[] context = {};
        private int ports;

        /** @param frames the frame of each page, in the order in which they are asked for */
        FakeDomain(IntToLongFunction frames) {
            this.frames = frames;
        }

        DomainHandle dom0() {
            DomainControl control = proxy(DomainControl.class, (self, method, arguments) -> {
                if (!calls.contains(method.getName())) {
                    calls.add(method.getName());
                }
                return switch (method.getName()) {
                    case "setAddressSize" -> {
                        calls.add(arguments[1] + " bits");
                        yield 0;
                    }
                    case "populate" -> populate((long[]) arguments[1]);
                    case "mapForeign" -> new FakeMapping(
                            Arrays.stream((long[]) arguments[1]).mapToObj(memory::get).toList());
                    case "setMachineToPhysical" -> {
                        frameNumbers.put((long) arguments[1], (long) arguments[2]);
                        yield 0;
                    }
                    case "pinRoot" -> {
                        calls.add("root " + arguments[1]);
                        yield 0;
                    }
                    case "seedGrant" -> 0;
                    case "sharedInfoFrame" -> SHARED_INFO;
                    case "setVcpuContext" -> {
                        context = (byte[]) arguments[2];
                        yield 0;
                    }
                    default -> throw new UnsupportedOperationException(method.getName());
                };
            });
            EventChannels events = proxy(EventChannels.class, (self, method, arguments) -> ++ports);
            return proxy(DomainHandle.class, (self, method, arguments) -> switch (method.getName()) {
                case "control" -> control;
                case "events" -> events;
                case "domid" -> 0;
                default -> throw new UnsupportedOperationException(method.getName());
            });
        }

        private int populate(long[] target) {
            Arrays.setAll(target, frames);
            Arrays.stream(target).forEach(mfn -> memory.put(mfn, new FakePage()));
            return target.length;
        }

        private static <T> T proxy(Class<T> type, InvocationHandler handler) {
            return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, handler));
        }

        /** The page that has frame number {@code pfn} in the M2P table. */
        FakePage page(long pfn) {
            return Objects.requireNonNull(memory.get(mfn(pfn)));
        }

        long mfn(long pfn) {
            return frameNumbers.entrySet().stream().filter(entry -> entry.getValue() == pfn).findFirst().orElseThrow()
                    .getKey();
        }

        byte[] bytes(long pfn) {
            byte[] bytes = new byte[4096];
            page(pfn).read(0, bytes, 0, bytes.length);
            return bytes;
        }
    }

    private PvBuilder.Built build(ElfBytes elf, FakeDomain domain) throws BuildException, IOException {
        Path file = Files.write(directory.resolve("k"), elf.bytes());
        PvBuilder builder = new PvBuilder(domain.dom0(), DOMID, PvBuilder.Payload.read(file, null), MEMORY_KIB,
                "root=/dev/xvda ü", false);
        while (builder.step()) {
            // On.
        }
        return builder.built();
    }

    private static ElfBytes kernel(PvAbi abi) {
        return switch (abi) {
            case X86_64 -> ElfBytes.kernel().note(ElfNote.HYPERCALL_PAGE, ElfBytes.VIRT_BASE + 0x10_1000);
            case X86_32P -> ElfBytes.kernel32().note(ElfNote.HYPERCALL_PAGE, ElfBytes.VIRT_BASE_32 + 0x10_1000);
        };
    }

    private static long word(PvAbi abi, byte[] bytes, int at) {
        return abi == PvAbi.X86_64 ? Bytes.get64(bytes, at) : Bytes.get32(bytes, at) & 0xffff_ffffL;
    }

    @ParameterizedTest
    @EnumSource
    void aKernelFindsWhatTheHeadersPromise(PvAbi abi) throws Exception {
        FakeDomain domain = new FakeDomain(pfn -> 0xf_fe00 + pfn * 2);
        PvBuilder.Built built = build(kernel(abi), domain);
        PvLayout layout = PvLayout.of(KernelImage.of("k", kernel(abi).bytes()), 0, MEMORY_KIB / 4);
        boolean wide = abi == PvAbi.X86_64;
        assertThat(domain.calls).containsSequence("setAddressSize", wide ? "64 bits" : "32 bits", "populate")
                .contains("root " + domain.mfn(layout.tablePfn()));
        assertThat(domain.frameNumbers).hasSize(2048);

        byte[] info = domain.bytes(layout.startInfoPfn());
        Struct start = StartInfo.LAYOUT;
        assertThat(text(info, 0)).isEqualTo(wide ? "xen-3.0-x86_64" : "xen-3.0-x86_32p");
        assertThat(word(abi, info, 32)).as("nr_pages").isEqualTo(2048);
        assertThat(word(abi, info, wide ? 40 : 36)).as("shared_info").isEqualTo(SHARED_INFO << 12);
        assertThat(Bytes.get32(info, wide ? 48 : 40)).as("flags").isZero();
        assertThat(word(abi, info, wide ? 56 : 44)).as("store_mfn").isEqualTo(built.xenstoreFrame())
                .isEqualTo(domain.mfn(layout.xenstorePfn()));
        assertThat(Bytes.get32(info, wide ? 64 : 48)).as("store_evtchn").isEqualTo(built.xenstorePort());
        assertThat(word(abi, info, wide ? 72 : 52)).as("console.domU.mfn").isEqualTo(built.consoleFrame());
        assertThat(Bytes.get32(info, wide ? 80 : 56)).as("console.domU.evtchn").isEqualTo(built.consolePort());
        assertThat(word(abi, info, wide ? 88 : 60)).as("pt_base").isEqualTo(layout.virtual(layout.tablePfn()));
        assertThat(word(abi, info, wide ? 96 : 64)).as("nr_pt_frames").isEqualTo(layout.tableFrames());
        assertThat(word(abi, info, wide ? 104 : 68)).as("mfn_list").isEqualTo(layout.p2mVirtual());
        assertThat(text(info, wide ? start.offset("cmd_line") : start.compatOffset("cmd_line")))
                .isEqualTo("root=/dev/xvda ü");

        for (long pfn : new long[]{0, 1, 511, 512, 1023, 1024, 2047}) {
            long at = pfn * abi.wordBytes();
            byte[] list = domain.bytes(layout.p2mPfn() + at / 4096);
            assertThat(word(abi, list, (int) (at % 4096))).as("frame of page %d", pfn).isEqualTo(domain.mfn(pfn));
        }
        assertThat(domain.bytes(0x101)).isEqualTo(wide ? HypercallPage.contents() : HypercallPage.compatContents());
        assertThat(domain.context).hasSize(wide ? 5168 : 2800);
        assertThat(Bytes.get32(domain.context, wide ? 5136 : 2796)).as("vm_assist").isEqualTo(wide ? 0 : 8);
    }

    private static String text(byte[] bytes, int at) {
        int end = at;
        while (bytes[end] != 0) {
            end++;
        }
        return new String(bytes, at, end - at, StandardCharsets.UTF_8);
    }

    private static ElfBytes below4G() {
        return ElfBytes.mute32().section("__xen_guest", 1, Kernel32Test.GUEST_INFO.getBytes(US_ASCII));
    }

    @Test
    void aRootThatHasToBeBelow4GChangesPlaces() throws Exception {
        PvLayout layout = PvLayout.of(KernelImage.of("k", below4G().bytes()), 0, MEMORY_KIB / 4);
        FakeDomain domain = new FakeDomain(pfn -> FRAMES_4G + (pfn == 1500 ? -5 : pfn));
        build(below4G(), domain);
        assertThat(domain.mfn(layout.tablePfn())).isEqualTo(FRAMES_4G - 5);
        assertThat(domain.mfn(1500)).isEqualTo(FRAMES_4G + layout.tablePfn());
        assertThat(domain.frameNumbers.values()).doesNotHaveDuplicates().hasSize(2048);
        assertThat(Bytes.get32(domain.context, 2796)).as("vm_assist").isZero();
        // Where it is low enough, it stays.
        FakeDomain low = new FakeDomain(pfn -> 100 + pfn);
        build(below4G(), low);
        assertThat(low.mfn(layout.tablePfn())).isEqualTo(100 + layout.tablePfn());
        assertThatThrownBy(() -> build(below4G(), new FakeDomain(pfn -> FRAMES_4G + pfn)))
                .isInstanceOf(BuildException.class).hasMessageContaining("have to be below 4 GiB");
    }
}
