"""A stand-in for NVIDIA's driver: a C library of its name that answers with fixed values, since no GPU was at hand."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = r"""
#include <stdlib.h>
#include <string.h>
#define NOT_SUPPORTED 3
#define NOT_FOUND 6
typedef unsigned long long u64;
static int lacks(const char *figure) { const char *all = getenv("LACKS"); return all && strstr(all, figure) != 0; }
static long number(void *handle) { return (long)handle; }  /* 1 and 2 are GPUs, 21 is an instance of the second */
static int give(char *to, const char *text) { strcpy(to, text); return 0; }
int nvmlInitWithFlags(unsigned flags) { return lacks("driver") ? 9 : 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return "as told"; }
int nvmlSystemGetDriverVersion(char *to, unsigned length) { return give(to, "580.65"); }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { *handle = (void *)(long)(index + 1); return 0; }
int nvmlDeviceGetMigMode(void *h, unsigned *now, unsigned *later) {
    *now = *later = number(h) == 2 && getenv("DIVIDED") != 0;
    return number(h) == 2 ? 0 : NOT_SUPPORTED;
}
int nvmlDeviceGetMaxMigDeviceCount(void *h, unsigned *count) { *count = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *h, unsigned index, void **part) {
    *part = (void *)21;
    return index == 3 ? 0 : NOT_FOUND;
}
int nvmlDeviceGetUUID(void *h, char *to, unsigned length) {
    return give(to, number(h) == 1 ? "GPU-aaaa" : number(h) == 2 ? "GPU-bbbb" : "MIG-cccc");
}
int nvmlDeviceGetName(void *h, char *to, unsigned length) {
    return give(to, number(h) == 1 ? "NVIDIA H100 80GB HBM3" : number(h) == 2 ? "NVIDIA A100-SXM4-40GB"
                                                                              : "NVIDIA A100-SXM4-40GB MIG 1g.5gb");
}
int nvmlDeviceGetMemoryInfo(void *h, struct { u64 total, free, used; } *memory) {
    memory->total = 80ull << 30, memory->used = 9ull << 30, memory->free = 71ull << 30;
    return lacks("memory") ? NOT_SUPPORTED : 0;
}
int nvmlDeviceGetUtilizationRates(void *h, struct { unsigned gpu, memory; } *rates) {
    rates->gpu = 87, rates->memory = 5;
    return lacks("percent") || number(h) == 21 ? NOT_SUPPORTED : 0;
}
int nvmlDeviceGetPowerUsage(void *h, unsigned *milliwatts) {
    *milliwatts = 250500;
    return lacks("watts") || number(h) == 21 ? NOT_SUPPORTED : 0;
}
int nvmlDeviceGetTemperature(void *h, unsigned sensor, unsigned *celsius) {
    *celsius = 61;
    return sensor != 0 || lacks("celsius") ? NOT_SUPPORTED : 0;
}
int nvmlDeviceGetTotalEnergyConsumption(void *h, u64 *millijoules) {
    static u64 counts[22];
    *millijoules = (5ull << 32) + 5000 * counts[number(h)]++;  /* more than 32 bits, 5 J more each time */
    return lacks("energy") || number(h) == 21 ? NOT_SUPPORTED : 0;
}
"""
"""Takes the place of NVIDIA's driver. LACKS names the figures that it does not offer."""


def make_driver(folder: Path) -> Path:
    """The stand-in, compiled into `folder`: a process with that folder in LD_LIBRARY_PATH finds two GPUs."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("a C compiler on Linux makes the stand-in for NVIDIA's driver")
    (folder / "driver.c").write_text(DRIVER)
    made = [compiler, "-w", "-shared", "-fPIC", "-o", str(folder / "libnvidia-ml.so.1"), str(folder / "driver.c")]
    subprocess.run(made, check=True)
    return folder
