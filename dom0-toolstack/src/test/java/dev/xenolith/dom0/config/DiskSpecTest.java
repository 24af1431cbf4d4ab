package dev.xenolith.dom0.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.config.DiskSpec.BackendType;
import dev.xenolith.dom0.disk.DiskFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiskSpecTest {
    @Test
    void trustIsTheDefaultAndTheLastWordCounts() {
        assertThat(DiskSpec.parse("/a,raw,xvda,w").trusted()).isTrue();
        assertThat(DiskSpec.parse("/a,raw,xvda,w,untrusted").trusted()).isFalse();
        assertThat(DiskSpec.parse("/a,raw,xvda,w,untrusted,trusted").trusted()).isTrue();
        DiskSpec drive = DiskSpec.parse("vdev=xvdc,cdrom,untrusted,target=/a");
        assertThat(drive.trusted()).isFalse();
        assertThat(drive.withTarget("/b").trusted()).isFalse();
        assertThat(drive.withMedium(null, DiskFormat.RAW).trusted()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"/a,raw,xvda,w | | false", "/a,qcow2,xvda,w | | true",
        "/a,vhd,xvda,w | | true",
        "/a,raw,xvdc:cdrom,r | | true", "/a,raw,xvda,w,backendtype=phy | PHY | false",
        "/a,raw,xvda,w,backendtype=qdisk | QDISK | true", "/a,vhd,xvda,w,backendtype=qdisk | QDISK | true",
        "/a,raw,xvdc:cdrom,r,backendtype=qdisk | QDISK | true"})
    void theBackendGoesWithTheFormatUnlessItIsAskedFor(String text, BackendType type, boolean qdisk) {
        DiskSpec disk = DiskSpec.parse(text);
        assertThat(disk.backendType()).isEqualTo(type);
        assertThat(disk.isQdisk()).isEqualTo(qdisk);
        assertThat(disk.withTarget("/b").isQdisk()).isEqualTo(qdisk);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "backendtype=phy,/a,qcow2,xvda,w | backendtype phy knows only format raw, and this is qcow2",
        "/a,vhd,xvda,w,backendtype=phy | backendtype phy knows only format raw, and this is vhd",
        "/a,raw,xvdc:cdrom,r,backendtype=phy | backendtype phy does not go with a cdrom",
        "/a,raw,xvda,w,backendtype=tap | backendtype \"tap\" is not supported; phy and qdisk are",
        "/a,raw,xvda,w,backendtype=phy,backendtype=phy | 'backendtype' is given twice"})
    void refusesBackendsThatCannotServeIt(String text, String message) {
        assertThatThrownBy(() -> DiskSpec.parse(text)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
