-- How tensors print: as PyTorch's do.
local gru = require "gru"
local describe = require("tests.support.devices").describe

describe("printing", function()
  local function prints(text, x) assert.equal(text, tostring(x)) end

  it("shows numbers, vectors and matrices", function()
    prints("tensor(3)", gru.tensor(3))
    prints("tensor(0.5000)", gru.tensor(0.5))
    prints("tensor(true)", gru.tensor(true))
    prints("tensor([1, 2, 3])", gru.tensor({1, 2, 3}))
    prints("tensor([1.0000, 2.5000])", gru.tensor({1, 2.5}))
    prints("tensor([1., 2.])", gru.tensor({1.0, 2.0}))
    prints("tensor([ 1, -2, 30])", gru.tensor({1, -2, 30}))
    prints("tensor([[ 1.0000, -2.0000],\n        [ 3.5000, 40.0000]])", gru.tensor({{1, -2}, {3.5, 40}}))
    prints("tensor([ true, false])", gru.tensor({true, false}))
  end)

  it("shows NaN, infinities and very large or small numbers", function()
    prints("tensor([1.0000, 2.5000,    nan,    inf,   -inf])", gru.tensor({1.0, 2.5, 0 / 0, 1 / 0, -1 / 0}))
    prints("tensor([1.0000e+00, 1.5000e-05])", gru.tensor({1.0, 1.5e-5}))
    prints("tensor([1.0000e+09, 1.5000e+00])", gru.tensor({1e9, 1.5}))
    prints("tensor([nan])", gru.tensor({0 / 0}))
  end)

  it("shows more dims with empty lines between", function()
    prints("tensor([[[1, 2],\n         [3, 4]],\n\n        [[5, 6],\n         [7, 8]]])",
      gru.arange(1, 9):reshape(2, 2, 2))
  end)

  it("shows what is empty", function()
    prints("tensor([])", gru.zeros(0))
    prints("tensor([], dtype=int64)", gru.zeros(0, {dtype = "int64"}))
    assert.matches("size=%[0, 3%]", tostring(gru.zeros(0, 3)))
    assert.matches("size=%[2, 0%]", tostring(gru.zeros(2, 0)))
  end)

  it("shows the dtype that is not the default, and the history", function()
    prints("tensor([1.], dtype=float64)", gru.ones(1, {dtype = "float64"}))
    prints("tensor([1.], requires_grad=true)", gru.ones(1, {requires_grad = true}))
    prints("tensor([2.], grad_fn=<mul>)", gru.ones(1, {requires_grad = true}) * 2)
    gru.set_default_dtype("float64")
    local usual, other = tostring(gru.ones(1)), tostring(gru.ones(1, {dtype = "float32"}))
    gru.set_default_dtype("float32")
    assert.equal("tensor([1.])", usual)
    assert.equal("tensor([1.], dtype=float32)", other)
  end)

  it("breaks long rows and summarises large tensors", function()
    local text = tostring(gru.arange(100))
    for line in text:gmatch("[^\n]+") do assert.is_true(#line <= 80, line) end
    assert.matches("99%]%)$", text)
    prints("tensor([   0,    1,    2,  ..., 1998, 1999, 2000])", gru.arange(2001))
    text = tostring(gru.zeros(100, 100))
    assert.matches("%[0%., 0%., 0%.,  %.%.%., 0%., 0%., 0%.%],\n        %.%.%.,\n", text)
    local _, lines = text:gsub("\n", "\n")
    assert.equal(6, lines)
    -- 1000 elements are shown in full
    assert.is_nil(tostring(gru.arange(1000)):find("...", 1, true))
  end)

  it("shows views and one-hot layouts by their elements", function()
    prints("tensor([[1, 4],\n        [2, 5],\n        [3, 6]])", gru.arange(1, 7):reshape(2, 3):t())
    prints("tensor([[0., 1.],\n        [1., 0.]])", gru.one_hot(gru.tensor({2, 1}), 2))
  end)

  it("leaves no history behind", function()
    local x = gru.randn(2000, {requires_grad = true})
    local before = gru.is_grad_enabled()
    assert.is_string(tostring(x * 2))
    assert.equal(before, gru.is_grad_enabled())
  end)
end)
