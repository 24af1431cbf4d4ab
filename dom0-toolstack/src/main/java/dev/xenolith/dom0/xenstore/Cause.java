package dev.xenolith.dom0.xenstore;

/**
 * A request of an unprivileged domain, as long as its reply or an event that it caused waits somewhere for delivery. Such
 * requests are limited, so that a domain cannot fill the queues of others faster than they are read.
 */
final class Cause {
    private final DomainRecord domain;
    private int waiting;

    Cause(DomainRecord domain) {
        this.domain = domain;
    }

    /** A reply or event of this request was queued. */
    void queued() {
        if (waiting++ == 0) {
            domain.requestBegins();
        }
    }

    /** A reply or event of this request was delivered, or will never be. */
    void delivered() {
        if (--waiting == 0) {
            domain.requestEnds();
        }
    }
}
