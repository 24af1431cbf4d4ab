package dev.xenolith.dom0.xenstore;

/** The requests about domains and their connections, which only the control domain may make. */
interface DomainManagement {
    /**
     * Connects a domain's ring, or binds its event channel anew if it is connected.
     *
     * @param port a port in that domain which waits for us
     */
    void introduce(int domid, int port) throws XenstoreException;

    /** Ends a domain's connection, and removes its nodes. */
    void release(int domid) throws XenstoreException;

    boolean isIntroduced(int domid);

    /** Lets the domain's next shutdown be told by @releaseDomain again. */
    void resume(int domid) throws XenstoreException;

    /** Lets a domain act for another one. */
    void setTarget(int domid, int target) throws XenstoreException;
}
