-- Who may include whom, and that the build names every source: README.md, "A walk through the source".

local function lines(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local function read(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read "a"
  f:close()
  return text
end

local function find(where, names)
  local parts = {}
  for _, name in ipairs(names) do parts[#parts + 1] = ("-name '*.%s'"):format(name) end
  return lines(("find %s -type f \\( %s \\) | sort"):format(where, table.concat(parts, " -o ")))
end

local sources = find("runtime", {"c", "h", "cu", "cuh", "def"})

-- What the files of a folder may include between quotes, as patterns; those of their own folder
-- besides.  The floor is core/device.h, core/math*.h, core/pace.h,
-- core/philox.h, core/random_plan.h; the CPU has threads, too: core/pool.h, core/spin.h.  The program
-- is a user of the public headers, and takes its heap's free lists from core/slab.h.
local floor = {"^core/device%.h$", "^core/math[%w_]*%.h$", "^core/pace%.h$", "^core/philox%.h$",
  "^core/random_plan%.h$", "^ops%.def$", "^gru%.h$"}
local allowed = {
  core = {"^gru%.h$", "^ops%.def$"},
  ops = {"^core/", "^gru%.h$", "^ops%.def$"},
  cpu = {"^core/pool%.h$", "^core/spin%.h$", table.unpack(floor)},
  cuda = floor,
  io = {"^core/", "^gru%.h$"},
  lua = {"^gru%.h$"},
  cli = {"^core/slab%.h$", "^gru%.h$", "^gru_lua%.h$"},
  [""] = {"^gru_ops%.h$"}, -- gru.h itself
}

-- Headers of libraries, and the folders that may include them.
local libraries = {
  {"^lua%.h$", "lua", "cli"}, {"^lauxlib%.h$", "lua", "cli"}, {"^lualib%.h$", "lua", "cli"},
  {"zip", "io"}, {"[jJ][sS][oO][nN]", "io"}, {"^editline/", "cli"}, {"^readline", "cli"},
  {"cblas", "cpu"}, {"^cuda", "cuda"}, {"^cudnn", "cuda"}, {"^cublas", "cuda"},
  {"^dlfcn%.h$", "core", "cpu", "cuda"},
}

local function folder_of(path) return path:match("^runtime/(%w+)/") or "" end

local function matches(name, patterns)
  for _, pattern in ipairs(patterns) do
    if name:find(pattern) then return true end
  end
  return false
end

-- Is `name`, included from `path`, a file of the same folder?
local function is_sibling(path, name)
  local folder = folder_of(path)
  if folder == "" then return false end
  local f = io.open(("runtime/%s/%s"):format(folder, name)) or nil
  if f then f:close() end
  return f ~= nil or name:sub(1, #folder + 1) == folder .. "/"
end

local function each_include(f)
  for _, path in ipairs(sources) do
    for line in read(path):gmatch("[^\n]+") do
      local quote, name = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
      if name then f(path, name:gsub("^%.%./gru%.h$", "gru.h"), quote == "<") end
    end
  end
end

describe("includes", function()
  it("are found", function()
    assert.is_true(#sources > 80)
    local n = 0
    each_include(function() n = n + 1 end)
    assert.is_true(n > 200)
  end)

  it("point downwards", function()
    each_include(function(path, name, system)
      if system then return end
      local folder = folder_of(path)
      assert(allowed[folder], path .. ": a folder without a rule in tests/layering_spec.lua")
      assert(is_sibling(path, name) or matches(name, allowed[folder]),
        ("%s includes \"%s\", which runtime/%s may not see"):format(path, name, folder))
    end)
  end)

  it("of libraries stand in one layer", function()
    each_include(function(path, name, system)
      if not system then return end
      for _, rule in ipairs(libraries) do
        if name:find(rule[1]) then
          local folder = folder_of(path)
          local fits = folder == rule[2] or folder == rule[3] or folder == rule[4]
          assert(fits, ("%s includes <%s>, which is for runtime/%s"):format(path, name, rule[2]))
        end
      end
    end)
  end)

  it("of the public header are three", function()
    local names = {}
    each_include(function(path, name)
      if path == "runtime/gru.h" then names[#names + 1] = name end
    end)
    table.sort(names)
    assert.same({"gru_ops.h", "stddef.h", "stdint.h"}, names)
  end)

  it("of core's headers that are no floor stay out of the kernels", function()
    each_include(function(path, name)
      local folder = folder_of(path)
      if folder == "cpu" or folder == "cuda" then
        local inner = {"tensor%.h$", "tape%.h$", "core/runtime%.h$", "storage", "backward", "core/op%.h$"}
        assert(not matches(name, inner), path .. " knows of tensors: " .. name)
      end
    end)
  end)
end)

describe("the core", function()
  it("prints nothing and never exits", function()
    for _, path in ipairs(sources) do
      local folder = folder_of(path)
      if folder ~= "lua" and folder ~= "cli" then
        local text = read(path):gsub("/%*.-%*/", ""):gsub("//[^\n]*", "")
        for _, name in ipairs {
          "printf", "puts", "putchar", "perror", "exit", "abort", "longjmp", "setjmp", "assert",
        } do
          assert(not text:find("%f[%w_]" .. name .. "%s*%("), ("%s calls %s"):format(path, name))
        end
        assert(not text:find("%f[%w_]stderr%f[^%w_]"), path .. " writes to stderr")
      end
    end
  end)

  it("exports names that start with gru", function()
    for _, path in ipairs {"runtime/gru.h", "runtime/lua/gru_lua.h"} do
      local n = 0
      for declaration in read(path):gmatch("\nGRU_API%s+([^;(]-)%s*%(") do
        local name = declaration:match("([%w_]+)$")
        assert(name:find("^gru") or name == "luaopen_gru_core", path .. " exports " .. name)
        n = n + 1
      end
      assert.is_true(n > 3)
    end
  end)
end)

describe("the build", function()
  local cmake = read "CMakeLists.txt"

  it("names every source of the runtime", function()
    for _, path in ipairs(find("runtime", {"c", "cu"})) do
      assert(cmake:find(path, 1, true), path .. " is not in CMakeLists.txt")
    end
  end)

  it("names no source that is not there", function()
    for path in cmake:gmatch("runtime/[%w_/]+%.cu?%f[%W]") do
      local f = io.open(path)
      assert(f, path .. " is in CMakeLists.txt, but there is no such file")
      f:close()
    end
  end)

  it("globs no C files", function()
    for call in cmake:gmatch("file%(GLOB[^)]*%)") do
      assert(not call:find("%.c%f[%W]"), call)
    end
  end)
end)
