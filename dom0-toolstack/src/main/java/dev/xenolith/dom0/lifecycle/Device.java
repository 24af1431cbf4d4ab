package dev.xenolith.dom0.lifecycle;

/**
 * A device with a frontend in one domain and a backend in another: where both have their nodes (docs/misc/xenstore-paths.pandoc).
 *
 * @param kind the frontend's directory below {@code device}: vbd, vif
 * @param backendKind the backend's directory below {@code backend}: vbd, qdisk, vif
 * @param domid of the frontend
 * @param backendDomid of the backend
 * @param number what tells it from others of its kind in its domain
 */
public record Device(String kind, String backendKind, int domid, int backendDomid, int number) {
    /** The frontend's directory. */
    public String frontend() {
        return DomainNodes.home(domid) + "/device/" + kind + '/' + number;
    }

    /** The backend's directory. */
    public String backend() {
        return DomainNodes.home(backendDomid) + "/backend/" + backendKind + '/' + domid + '/' + number;
    }

    /** The toolstack's own directory, which neither end can change. */
    public String toolstack() {
        return "/libxl/" + domid + "/device/" + kind + '/' + number;
    }
}
