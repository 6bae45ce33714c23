-- .ci/spills: what it says of a log of ptxas.
local function run(log, settings)
  local name = os.tmpname()
  local f = assert(io.open(name, "w"))
  f:write(log)
  f:close()
  local pipe = assert(io.popen((settings or "") .. " .ci/spills " .. name .. " 2>&1; echo status $?"))
  local out = pipe:read "a"
  pipe:close()
  os.remove(name)
  return out:match "^(.*)status (%d+)\n$"
end

local function kernel(name, registers, stack, stores, loads, target)
  return ([[
ptxas info    : Compiling entry function '%s' for '%s'
ptxas info    : Function properties for %s
    %d bytes stack frame, %d bytes spill stores, %d bytes spill loads
ptxas info    : Used %d registers, used 1 barriers, 40 bytes smem
ptxas info    : Compile time = 1.000 ms
]]):format(name, target or "sm_90", name, stack, stores, loads, registers)
end

local good = "[3/9] Building CUDA object runtime/cuda/x.cu.o\nptxas info    : 0 bytes gmem\n"
  .. kernel("_Z14softmax_kernelPf", 40, 0, 0, 0) .. kernel("_Z11sort_kernelPf", 168, 64, 0, 0)
  .. kernel("_Z11adam_kernelPd", 9, 0, 0, 0, "sm_75")

describe(".ci/spills", function()
  it("lists the kernels that use most registers", function()
    local out, status = run(good)
    assert.equal("0", status)
    local lines = {}
    for line in out:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal(5, #lines)
    assert.matches("^registers +local +spills +target +kernel$", lines[1])
    assert.matches("^ +168 +64 +0 +sm_90 +.*sort_kernel", lines[2])
    assert.matches("^ +40 +0 +0 +sm_90 +.*softmax_kernel", lines[3])
    assert.matches("^ +9 +0 +0 +sm_75 +.*adam_kernel", lines[4])
    assert.equal("3 kernels, 2 that matter", lines[5])
    assert.falsy(run(good, "WORST=1"):find "softmax")
  end)

  it("knows the kernels of recurrent layers by their names", function()
    for _, name in ipairs {
      "_Z25gruI_fused_forward_kernelILi3ELi8EfEv", "_Z26gruI_fused_backward_kernelILi3EfEv",
      "_Z22gruI_fused_last_kernelIfEv", "_Z14forward_kernelIfEv", "_Z15backward_kernelIfEv",
      "_Z15few_rows_kernelIfEv",
    } do
      local out, status = run(good .. kernel(name, 255, 512, 256, 256))
      assert.equal("1", status, name)
      assert.matches("In local memory:\n +255", out)
    end
  end)

  it("fails where one that matters has local memory or spills", function()
    for _, numbers in ipairs {{8, 0, 0}, {0, 4, 0}, {0, 0, 4}} do
      local out, status = run(good .. kernel("_Z14reduce_kernelIfEvPf", 255, table.unpack(numbers)))
      assert.equal("1", status)
      assert.matches("In local memory:\n +255 .*reduce_kernel[^\n]*\n$", out)
    end
  end)

  it("takes other names for those that matter", function()
    local out, status = run(good, "MATTER=sort")
    assert.equal("1", status)
    assert.matches("3 kernels, 1 that matter\nIn local memory:\n +168 .*sort_kernel", out)
  end)

  it("does not take an empty log for a good one", function()
    local out, status = run "ninja: no work to do.\n"
    assert.equal("1", status)
    assert.matches("no kernel that matters is in the log", out)
  end)
end)
