package dev.xenolith.benchmark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The arrows of the house: layers point down only, no package cycles, and a few doors that only one class may use. */
@AnalyzeClasses(packages = "dev.xenolith", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule PROCESSOR_KNOWS_NOBODY = noClasses().that().resideInAPackage("dev.xenolith.cpu..").should()
            .dependOnClassesThat().resideInAnyPackage("dev.xenolith.device..", "dev.xenolith.hypervisor..",
                    "dev.xenolith.dom0..",
                    "dev.xenolith.guest..", "dev.xenolith.benchmark..");

    @ArchTest
    static final ArchRule DEVICES_KNOW_ONLY_THE_PROCESSOR = noClasses().that().resideInAPackage("dev.xenolith.device..")
            .should()
            .dependOnClassesThat().resideInAnyPackage("dev.xenolith.hypervisor..", "dev.xenolith.dom0..",
                    "dev.xenolith.guest..",
                    "dev.xenolith.benchmark..");

    @ArchTest
    static final ArchRule HYPERVISOR_DOES_NOT_KNOW_DOM0 = noClasses().that()
            .resideInAPackage("dev.xenolith.hypervisor..").should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.xenolith.dom0..", "dev.xenolith.guest..", "dev.xenolith.benchmark..");

    @ArchTest
    static final ArchRule DOM0_SEES_OPERATIONS_ONLY = noClasses().that().resideInAPackage("dev.xenolith.dom0..")
            .should()
            .dependOnClassesThat(JavaClass.Predicates.resideInAPackage("dev.xenolith.hypervisor..")
                    .and(DescribedPredicate.not(JavaClass.Predicates.resideInAnyPackage("dev.xenolith.hypervisor",
                            "dev.xenolith.hypervisor.operations", "dev.xenolith.hypervisor.abi",
                            // The format of trace records, which is public like the ABI.
                            "dev.xenolith.hypervisor.trace")))
                    .as("internals of the hypervisor"));

    @ArchTest
    static final ArchRule NO_CYCLES_IN_THE_PROCESSOR = slices().matching("dev.xenolith.cpu.(*)..").should()
            .beFreeOfCycles();

    @ArchTest
    static final ArchRule NO_CYCLES_IN_THE_DEVICES = slices().matching("dev.xenolith.device.(*)..").should()
            .beFreeOfCycles();

    @ArchTest
    static final ArchRule NO_CYCLES_IN_THE_HYPERVISOR = slices().matching("dev.xenolith.hypervisor.(*)..").should()
            .beFreeOfCycles();

    @ArchTest
    static final ArchRule NO_CYCLES_IN_DOM0 = slices().matching("dev.xenolith.dom0.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule ONE_DOOR_TO_HOST_MEMORY = noClasses().that()
            .doNotHaveFullyQualifiedName("dev.xenolith.cpu.memory.HostMemory")
            // It defines a class of the boot loader and reaches no memory.
            .and().doNotHaveFullyQualifiedName("dev.xenolith.cpu.translate.HotSpot")
            .should().dependOnClassesThat().haveFullyQualifiedName("jdk.internal.misc.Unsafe");

    @ArchTest
    static final ArchRule HOST_MEMORY_STAYS_IN_THE_PROCESSOR = noClasses().that()
            .resideOutsideOfPackage("dev.xenolith.cpu..").should()
            .dependOnClassesThat().haveFullyQualifiedName("dev.xenolith.cpu.memory.HostMemory");

    @ArchTest
    static final ArchRule NO_STATIC_MUTABLE_STATE = fields().that().areDeclaredInClassesThat()
            .resideOutsideOfPackage("dev.xenolith.benchmark..").and().areStatic().and()
            .doNotHaveModifier(JavaModifier.SYNTHETIC)
            .should().beFinal();

    @ArchTest
    static final ArchRule PACKAGES_ARE_NULL_MARKED = classes().that().haveSimpleName("package-info").should()
            .beAnnotatedWith("org.jspecify.annotations.NullMarked");
}
