package dev.xenolith.hypervisor.abi;

/** xen/include/public/callback.h and nmi.h: where a PV kernel wants to be entered. */
public final class Callback {
    public static final int CALLBACKOP_REGISTER = 0;
    public static final int CALLBACKOP_UNREGISTER = 1;

    public static final int CALLBACKTYPE_EVENT = 0;
    public static final int CALLBACKTYPE_FAILSAFE = 1;
    public static final int CALLBACKTYPE_SYSCALL = 2;
    public static final int CALLBACKTYPE_SYSENTER_DEPRECATED = 3;
    public static final int CALLBACKTYPE_NMI = 4;
    public static final int CALLBACKTYPE_SYSENTER = 5;
    public static final int CALLBACKTYPE_SYSCALL32 = 7;
    /** Flag: events are masked when the callback is entered. */
    public static final int CALLBACKF_MASK_EVENTS = 1;
    /** Operations of the older nmi_op. */
    public static final int XENNMI_REGISTER_CALLBACK = 0;
    public static final int XENNMI_UNREGISTER_CALLBACK = 1;

    /** CALLBACKOP_register of a 64-bit guest (a 32-bit address is a selector and an offset). */
    public static final class Register {
        public static final Struct LAYOUT = Struct.of64("callback_register").u16("type").u16("flags").ulong("address")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int TYPE = LAYOUT.offset("type");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int ADDRESS = LAYOUT.offset("address");

        private Register() {
        }
    }

    /** CALLBACKOP_register of a 32-bit guest. */
    public static final class CompatRegister {
        public static final Struct LAYOUT = Struct.of32("callback_register").u16("type").u16("flags").u32("address.cs")
                .u32("address.eip").build();
        public static final int SIZE = LAYOUT.compatSize();
        public static final int TYPE = LAYOUT.compatOffset("type");
        public static final int FLAGS = LAYOUT.compatOffset("flags");
        public static final int CS = LAYOUT.compatOffset("address.cs");
        public static final int EIP = LAYOUT.compatOffset("address.eip");

        private CompatRegister() {
        }
    }

    /** CALLBACKOP_unregister. */
    public static final class Unregister {
        public static final Struct LAYOUT = Struct.of("callback_unregister").u16("type").u16("_unused").build();
        public static final int SIZE = LAYOUT.size();
        public static final int TYPE = LAYOUT.offset("type");

        private Unregister() {
        }
    }

    /** XENNMI_register_callback. */
    public static final class NmiCallback {
        public static final Struct LAYOUT = Struct.of("xennmi_callback").ulong("handler_address").ulong("pad").build();
        public static final int SIZE = LAYOUT.size();
        public static final int HANDLER_ADDRESS = LAYOUT.offset("handler_address");

        private NmiCallback() {
        }
    }

    private Callback() {
    }
}
