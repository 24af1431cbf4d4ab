package dev.xenolith.dom0.xenstore;

import org.jspecify.annotations.Nullable;

/** Message types of the wire protocol (xen/include/public/io/xs_wire.h, enum xsd_sockmsg_type). */
enum MessageType {
    /** For the control domain: see {@link ControlCommands}. */
    CONTROL(0, Scope.PRIVILEGED),
    /** Names of the children. */
    DIRECTORY(1, Scope.ANYONE),
    /** The value. */
    READ(2, Scope.ANYONE),
    /** Owner and access. */
    GET_PERMS(3, Scope.ANYONE),
    /** Outside transactions, whatever the header says. */
    WATCH(4, Scope.NO_TRANSACTION),
    /** Likewise. */
    UNWATCH(5, Scope.NO_TRANSACTION),
    /** Answers the transaction's id. */
    TRANSACTION_START(6, Scope.ANYONE),
    /** Commits or aborts. */
    TRANSACTION_END(7, Scope.ANYONE),
    /** Connects a domain. */
    INTRODUCE(8, Scope.PRIVILEGED),
    /** Disconnects a domain. */
    RELEASE(9, Scope.PRIVILEGED),
    /** Where relative paths of a domain start. */
    GET_DOMAIN_PATH(10, Scope.ANYONE),
    /** Sets a value, making what is missing. */
    WRITE(11, Scope.ANYONE),
    /** Makes a node, and what is missing above it. */
    MKDIR(12, Scope.ANYONE),
    /** Removes a node and all below it. */
    RM(13, Scope.ANYONE),
    /** Sets owner and access. */
    SET_PERMS(14, Scope.ANYONE),
    /** Only from the daemon. */
    WATCH_EVENT(15, Scope.REPLY),
    /** Only from the daemon. */
    ERROR(16, Scope.REPLY),
    /** Whether a domain is connected. */
    IS_DOMAIN_INTRODUCED(17, Scope.PRIVILEGED),
    /** A domain that was suspended runs again. */
    RESUME(18, Scope.PRIVILEGED),
    /** Names the domain that a device model serves. */
    SET_TARGET(19, Scope.PRIVILEGED),
    /** Forgets watches and transactions. */
    RESET_WATCHES(21, Scope.ANYONE),
    /** Like DIRECTORY, in pieces. */
    DIRECTORY_PART(22, Scope.ANYONE);

    private enum Scope {
        ANYONE, NO_TRANSACTION, PRIVILEGED, REPLY
    }

    private static final MessageType[] BY_CODE = new MessageType[23];

    static {
        for (MessageType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    final int code;
    private final Scope scope;

    MessageType(int code, Scope scope) {
        this.code = code;
        this.scope = scope;
    }

    /** The request with that code, or null if clients may not send such a message. */
    static @Nullable MessageType request(int code) {
        MessageType type = code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
        return type == null || type.scope == Scope.REPLY ? null : type;
    }

    /** Whether only the control domain may ask for it. */
    boolean isPrivileged() { return scope == Scope.PRIVILEGED; }

    /** Whether the header's transaction id means nothing. */
    boolean ignoresTransaction() {
        return scope == Scope.NO_TRANSACTION;
    }
}
