package dev.xenolith.dom0.backend;

/** Makes backends of one kind. */
public interface BackendDriver {
    /** The directory below {@code backend} in which its devices are announced: vbd, vif, ... */
    String kind();

    /** Makes the backend of a device that has been announced. Called once for each device. */
    Backend create(BackendDevice device);
}
