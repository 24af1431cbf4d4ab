package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.model.CpuModel;
import java.util.Map;
import java.util.TreeMap;

/** Model-specific registers that are plain values; the others are views of other state, see {@link Msrs}. */
public final class MsrState {
    /** IA32_PAT after reset: WB WT UC- UC, twice. */
    private static final long PAT_RESET = 0x0007_0406_0007_0406L;

    public long star;
    public long lstar;
    public long cstar;
    public long fmask;
    public long sysenterCs;
    public long sysenterEsp;
    public long sysenterEip;
    public long kernelGsBase;
    public long tscAux;
    /** IA32_TSC_ADJUST: what writes have added to the TSC. */
    public long tscAdjust;
    public long pat = PAT_RESET;

    /** Registers that the model describes, by address, in the order of addresses. */
    final int[] modelAddress;
    final long[] modelValue;

    /** What power-up makes of all registers. */
    void reset(CpuModel model) {
        star = 0;
        lstar = 0;
        cstar = 0;
        fmask = 0;
        sysenterCs = 0;
        sysenterEsp = 0;
        sysenterEip = 0;
        kernelGsBase = 0;
        tscAux = 0;
        tscAdjust = 0;
        pat = PAT_RESET;
        for (int i = 0; i < modelAddress.length; i++) {
            CpuModel.ModelMsr described = model.msr(modelAddress[i]);
            modelValue[i] = described == null ? 0 : described.reset();
        }
    }

    MsrState(CpuModel model) {
        Map<Integer, CpuModel.ModelMsr> described = new TreeMap<>(model.msrs());
        modelAddress = described.keySet().stream().mapToInt(Integer::intValue).toArray();
        modelValue = described.values().stream().mapToLong(CpuModel.ModelMsr::reset).toArray();
    }

    /** Value of a register that the model describes, 0 if it does not. */
    long modelValue(int address) {
        for (int i = 0; i < modelAddress.length; i++) {
            if (modelAddress[i] == address) {
                return modelValue[i];
            }
        }
        return 0;
    }

    void setModelValue(int address, long value) {
        for (int i = 0; i < modelAddress.length; i++) {
            if (modelAddress[i] == address) {
                modelValue[i] = value;
            }
        }
    }
}
