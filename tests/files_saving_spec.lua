-- Saving: a file is replaced at once or not at all, and a failure leaves nothing behind.
local gru = require "gru"
local new_scratch = require "tests.support.scratch"

local PROGRAM = os.getenv("GRU_LUA") or "build/gru-lua"

local scratch = new_scratch()
local folder, read, write = scratch.folder, scratch.read, scratch.write
local list, shell = scratch.list, scratch.shell
local path = folder .. "/file"
local x = gru.arange(0, 24):to("float32"):view(2, 3, 4)

teardown(scratch.remove)

local function same(a, b)
  assert.same(a.shape, b.shape)
  assert.is_true(a:data() == b:data(), "bytes differ")
end

describe("saving", function()
  local target = folder .. "/target"
  local lua = ([[local gru = require "gru" local x = gru.zeros(300000)
    print(gru.save(%q, {x = x})) print(gru.save_npy(%q, x))]]):format(target, target):gsub("\n", " ")
  write(folder .. "/save.lua", lua)

  -- Runs save.lua in the shell after `setup`; the target must be there, unharmed, alone.
  local function fails(setup, why, prefix)
    os.execute("rm -f " .. target)
    write(target, "old")
    local before = list(folder)
    local out, status = shell(("%s; %s %s %s/save.lua"):format(setup, prefix or "", PROGRAM, folder))
    assert.equal(0, status, out)
    for _, op in ipairs {"save", "save_npy"} do
      local line = ("nil\t%s: %s: "):format(op, target)
      assert.is_truthy(out:find(line, 1, true), out)
    end
    assert.is_truthy(out:find(why, 1, true), out)
    assert.equal("old", read(target))
    assert.equal(before, list(folder))
  end

  it("leaves the old file when the disk is full", function()
    fails("trap '' XFSZ; ulimit -f 100", "cannot write: File too large")
  end)

  it("leaves the old file in a folder that cannot be written", function()
    local user = shell("id -u"):match "%d+"
    local prefix = user == "0" and "setpriv --reuid 65534 --clear-groups" or nil
    assert(os.execute("chmod 555 " .. folder))
    local ok, message = pcall(fails, "true", "cannot make a file beside it: Permission denied", prefix)
    assert(os.execute("chmod 755 " .. folder))
    assert(ok, message)
  end)

  it("leaves no file behind that it could not begin", function()
    local before = list(folder)
    for _, name in ipairs {folder, folder .. "/no/where", target .. "/x", "/proc/gru", ""} do
      local ok, message = gru.save(name, {x = x})
      assert.is_nil(ok)
      assert.equal("save: " .. name .. ": ", message:sub(1, #name + 8))
      assert.is_nil((gru.save_npy(name, x)))
    end
    local ok, message = gru.save("/dev/null", {x = x})
    assert.is_nil(ok)
    assert.equal("save: /dev/null: not a regular file; it is left alone", message)
    assert.equal("character special file\n", (shell "stat -c %F /dev/null"))
    assert.equal(before, list(folder))
  end)

  it("follows links, keeps to the umask, and replaces", function()
    os.execute(("cd %s && rm -f target link && ln -s target link"):format(folder))
    local ok, message = gru.save(folder .. "/link", {x = x}) -- to nothing
    assert.is_nil(ok)
    assert.is_truthy(message:find("No such file", 1, true))
    write(target, "old")
    assert(gru.save(folder .. "/link", {x = x}))
    assert.equal("symbolic link\n", (shell("stat -c %F " .. folder .. "/link")))
    same(x, assert(gru.load(target)).x)
    os.remove(folder .. "/link")
    os.remove(target)
    local out = shell(("umask 027; %s %s/save.lua; stat -c %%a %s"):format(PROGRAM, folder, target))
    assert.equal("true\ntrue\n640\n", out)
    assert.equal("save.lua target ", list(folder))
  end)

  it("while the file is open elsewhere leaves that reader its bytes", function()
    assert(gru.save(target, {x = x}))
    local old = assert(io.open(target, "rb"))
    assert(gru.save(target, {x = x + 1}))
    write(path, old:read "a")
    old:close()
    same(x, assert(gru.load(path)).x)
    same(x + 1, assert(gru.load(target)).x)
  end)
end)
