package dev.xenolith.dom0.config;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Every key that xl.cfg(5) and tools/xl/xl_parse.c know (4.17 and the development branch of 2026), and {@code privileged}, which is
 * ours; with the kind of its value and whether it does anything here yet.
 */
public final class XlConfigKeys {
    /** Kinds of values. */
    public enum Kind {
        /** Text. */
        STRING,
        /** A number. */
        NUMBER,
        /** 0 or 1. */
        BOOLEAN,
        /** A list of strings or lists. */
        LIST,
        /** Text or a list of it. */
        STRING_OR_LIST,
        /** A word or its number. */
        STRING_OR_NUMBER
    }

    /**
     * One key.
     *
     * @param name as it is written
     * @param kind of its value
     * @param actedOn whether it changes anything; if not, using it gives a warning
     */
    public record Key(String name, Kind kind, boolean actedOn) {
    }

    private static final Map<String, Key> KEYS = table();

    private XlConfigKeys() {
    }

    /** Returns all keys by name. */
    public static Map<String, Key> all() {
        return KEYS;
    }

    /** Returns a key, or null if there is none of that name. */
    public static @Nullable Key find(String name) {
        return KEYS.get(name);
    }

    private static Map<String, Key> table() {
        Map<String, Key> keys = new TreeMap<>();
        add(keys, Kind.STRING, true, """
                builder cmdline extra kernel name on_crash on_poweroff on_reboot on_soft_reset on_watchdog
                ramdisk root type uuid""");
        add(keys, Kind.NUMBER, true, """
                cap cpu_weight max_event_channels max_grant_frames max_grant_version max_maptrack_frames maxmem
                maxvcpus memory vcpus""");
        add(keys, Kind.BOOLEAN, true, """
                driver_domain""");
        add(keys, Kind.STRING_OR_LIST, true, """
                cpus""");
        add(keys, Kind.LIST, true, """
                channel disk vif""");
        // Ours, not in xl.cfg(5): gives the domain all of domain 0's rights.
        add(keys, Kind.BOOLEAN, true, """
                privileged""");
        add(keys, Kind.STRING, false, """
                acpi_firmware arm_sci bios bios_path_override boot bootloader bootloader_user device_model
                device_model_override device_model_stubdomain_seclabel device_model_user device_model_version
                device_tree display firmware firmware_override gic_version hdtype init_seclabel keymap
                ms_vm_genid passthrough pool pvshim_cmdline pvshim_extra pvshim_path rdm seclabel
                smbios_firmware soundhw spice_image_compression spice_streaming_video spicehost spicepasswd
                stubdomain_cmdline stubdomain_kernel stubdomain_ramdisk sve tee vendor_device vga vnclisten
                vncpasswd vuart xauthority""");
        add(keys, Kind.NUMBER, false, """
                altp2m_count extratime latency mmio_hole nr_spis period rdm_mem_boundary rtc_timeoffset
                shadow_memory slice spiceport spicetls_port spiceusbredirection stubdomain_memory usbversion
                videoram vmtrace_buf_kb vncdisplay xenstore_feature_mask""");
        add(keys, Kind.BOOLEAN, false, """
                acpi acpi_laptop_slate acpi_s3 acpi_s4 altp2mhvm apic bootloader_restrict
                device_model_stubdomain_override dm_restrict e820_host hap hpet hvm_pirq localtime
                msr_relaxed nestedhvm nographic nomigrate nx oos opengl pae pci_msitranslate pci_permissive
                pci_power_mgmt pci_seize pvshim sdl spice spice_clipboard_sharing spiceagent_mouse
                spicedisable_ticketing spicevdagent stdvga trap_unmapped_accesses usb vkb_device vnc vncunused
                vncviewer vpmu vpt_align xen_platform_pci xen_platform_pci_bar_uc xend_suspend_evtchn_compat""");
        add(keys, Kind.LIST, false, """
                device_model_args device_model_args_hvm device_model_args_pv dtdev iomem ioports
                irqs llc_colors mca_caps p9 pci pvcalls smbios usbctrl usbdev vdispl vfb vif2 virtio vkb
                vnuma vsnd vtpm xenstore_quota""");
        add(keys, Kind.STRING_OR_LIST, false, """
                bootloader_args cpuid cpus_soft serial usbdevice viridian""");
        add(keys, Kind.STRING_OR_NUMBER, false, """
                altp2m gfx_passthru timer_mode tsc_mode""");
        return Collections.unmodifiableMap(keys);
    }

    private static void add(Map<String, Key> keys, Kind kind, boolean actedOn, String names) {
        for (String name : names.strip().split("\\s+")) {
            keys.put(name, new Key(name, kind, actedOn));
        }
    }
}
