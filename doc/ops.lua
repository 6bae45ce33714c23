--- Ops of the C core, as functions `gru.name(x, ...)` and as methods `x:name(...)`.
--
-- Written here because they have no Lua source: this file holds doc comments alone and is read by
-- `make doc` and `tests/docs_spec.lua`.  Rows of `runtime/ops.def` give the elementwise ones; each of
-- those also has a form in place, `x:name_(...)`, which writes the result over x, returns x, and wants
-- a result of x's shape and of a dtype that x can hold.
--
-- Operands are broadcast (sizes must be equal or 1, from the last dim on) and promoted as in PyTorch:
-- bool, int64, float32, float64 among tensors with dims; numbers and 0-d tensors raise the category
-- only.  Unless a gradient is given, there is the usual one.  An error names the op, the rule, and
-- the shapes or dtypes.
-- @module gru.ops

--- One operand
-- @section one_operand

--- -x; bool is refused.
-- @function neg
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- |x|.  The gradient at 0 is 0.
-- @function abs
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- -1, 0 or 1.  The gradient is 0.
-- @function sign
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- x^2
-- @function square
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- The largest integer <= x.  The gradient is 0.
-- @function floor
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- The smallest integer >= x.  The gradient is 0.
-- @function ceil
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- The nearest integer, of two the even one.  The gradient is 0.
-- @function round
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- x without its fraction.  The gradient is 0.
-- @function trunc
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- max(x, 0).  The gradient at 0 is 0; NaN stays NaN.
-- @function relu
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x

--- 1 / x
-- @function reciprocal
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- The square root; NaN below 0.  The gradient at 0 is infinite.
-- @function sqrt
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- 1 / sqrt x
-- @function rsqrt
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- 1 / (1 + e^-x)
-- @function sigmoid
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- The hyperbolic tangent.
-- @function tanh
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- e^x
-- @function exp
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- e^x - 1, exact near 0.
-- @function expm1
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- The natural logarithm; -inf at 0, NaN below.
-- @function log
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- log(1 + x), exact near 0.
-- @function log1p
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- The sine, x in radians.
-- @function sin
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- The cosine, x in radians.
-- @function cos
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- The tangent, x in radians.
-- @function tan
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
-- @function erf
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- log(1 + e^x), without overflow.
-- @function softplus
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- x / (1 + e^-x) (Hendrycks and Gimpel 2016, Elfwing et al. 2018).
-- @function silu
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, floats: ints and bools become the default dtype

--- Is it NaN?  No gradient.
-- @function isnan
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, bool

--- Is it infinite?  No gradient.
-- @function isinf
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, bool

--- Is it neither infinite nor NaN?  No gradient.
-- @function isfinite
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, bool

--- x == 0, of any dtype.  No gradient.
-- @function logical_not
-- @tparam tensor x any shape
-- @treturn tensor of the shape of x, bool

--- Two operands
-- @section two_operands

--- a + b, also by the operator.  Of bools: or.
-- @function add
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape

--- a - b, also by the operator; bool is refused.
-- @function sub
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape

--- a b, also by the operator.  Of bools: and.
-- @function mul
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape

--- a / b, also by the operator.
-- @function div
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape, a float dtype

--- a^b, also by the operator.
-- @function pow
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape

--- a - b floor(a / b), `a % b`: it has the sign of b.  int64 by 0 raises an error.
-- @function remainder
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape

--- floor(a / b), `a // b`.  int64 by 0 raises an error.  The gradient is 0.
-- @function floor_divide
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape

--- The larger one; NaN where one is NaN.  Equal operands share the gradient.
-- @function maximum
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape

--- The smaller one; NaN where one is NaN.  Equal operands share the gradient.
-- @function minimum
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor of the broadcast shape

--- a == b, element by element.  No gradient.
-- @function eq
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- a ~= b, element by element.  No gradient.
-- @function ne
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- a < b, element by element.  No gradient.
-- @function lt
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- a <= b, element by element.  No gradient.
-- @function le
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- a > b, element by element.  No gradient.
-- @function gt
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- a >= b, element by element.  No gradient.
-- @function ge
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- Are both not 0?  For masks also an operator: `a & b`.  No gradient.
-- @function logical_and
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- Is one not 0?  For masks also an operator: `a | b`.  No gradient.
-- @function logical_or
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- Is exactly one not 0?  For masks also an operator: `a ~ b`.  No gradient.
-- @function logical_xor
-- @param a a tensor or a number
-- @param b a tensor or a number; one of both is a tensor
-- @treturn tensor bool, of the broadcast shape

--- a + weight (b - a)
-- @function lerp
-- @param a a tensor or a number
-- @param b a tensor or a number
-- @param weight a tensor or a number
-- @treturn tensor of the broadcast shape

--- Products
-- @section products

--- The matrix product.  Vectors are rows on the left and columns on the right; dims before the last
-- two are batches, which are broadcast.  A one-hot operand on the left gathers rows.
-- @function matmul
-- @usage print(gru.matmul(gru.ones(2, 3), gru.ones(3, 4)).shape[2])
-- @tparam tensor a (..., m, k), or (k)
-- @tparam tensor b (..., k, n), or (k)
-- @treturn tensor (..., m, n), without m or n where that operand is a vector
-- @raise where a tensor has no dims or the inner sizes differ

--- Reductions
-- @section reductions

--- The sum; of bools and int64 in int64, which wraps.
-- @function sum
-- @tparam tensor x any shape
-- @tparam[opt] integer|table dim one dim or a table of them; all without it
-- @tparam[opt=false] boolean keepdim leave a size of 1 in the place of each dim
-- @treturn tensor

--- The product; of bools and int64 in int64, which wraps.
-- @function prod
-- @tparam tensor x any shape
-- @tparam[opt] integer|table dim one dim or a table of them; all without it
-- @tparam[opt=false] boolean keepdim leave a size of 1 in the place of each dim
-- @treturn tensor

--- The mean of floats.
-- @function mean
-- @tparam tensor x any shape
-- @tparam[opt] integer|table dim one dim or a table of them; all without it
-- @tparam[opt=false] boolean keepdim leave a size of 1 in the place of each dim
-- @treturn tensor

--- Is one not 0?  No gradient.
-- @function any
-- @tparam tensor x any shape
-- @tparam[opt] integer|table dim one dim or a table of them; all without it
-- @tparam[opt=false] boolean keepdim leave a size of 1 in the place of each dim
-- @treturn tensor bool

--- Are all not 0?  No gradient.
-- @function all
-- @tparam tensor x any shape
-- @tparam[opt] integer|table dim one dim or a table of them; all without it
-- @tparam[opt=false] boolean keepdim leave a size of 1 in the place of each dim
-- @treturn tensor bool

--- The largest element; equal ones share the gradient.
-- @function amax
-- @tparam tensor x any shape
-- @tparam[opt] integer|table dim one dim or a table of them; all without it
-- @tparam[opt=false] boolean keepdim leave a size of 1 in the place of each dim
-- @treturn tensor

--- The smallest element; equal ones share the gradient.
-- @function amin
-- @tparam tensor x any shape
-- @tparam[opt] integer|table dim one dim or a table of them; all without it
-- @tparam[opt=false] boolean keepdim leave a size of 1 in the place of each dim
-- @treturn tensor

--- The position of the largest element, of equals the first; in the flattened tensor without a dim.
-- No gradient.
-- @function argmax
-- @tparam tensor x any shape
-- @tparam[opt] integer dim
-- @tparam[opt=false] boolean keepdim
-- @treturn tensor int64, from 1 on

--- The position of the smallest element, of equals the first; in the flattened tensor without a dim.
-- No gradient.
-- @function argmin
-- @tparam tensor x any shape
-- @tparam[opt] integer dim
-- @tparam[opt=false] boolean keepdim
-- @treturn tensor int64, from 1 on

--- The median, of an even number of elements the lower one.
-- @function median
-- @tparam tensor x any shape
-- @tparam[opt] integer dim
-- @tparam[opt=false] boolean keepdim
-- @treturn tensor
-- @treturn ?tensor positions, int64 from 1 on, where a dim is given

--- Running sums along a dim.
-- @function cumsum
-- @tparam tensor x any shape
-- @tparam integer dim
-- @treturn tensor of the shape of x

--- Running products along a dim.
-- @function cumprod
-- @tparam tensor x any shape
-- @tparam integer dim
-- @treturn tensor of the shape of x

--- e^x / sum e^x along a dim, without overflow.
-- @function softmax
-- @tparam tensor x floats
-- @tparam integer dim
-- @treturn tensor of the shape of x

--- log(e^x / sum e^x) along a dim, without overflow.
-- @function log_softmax
-- @tparam tensor x floats
-- @tparam integer dim
-- @treturn tensor of the shape of x

--- Shape
-- @section shape

--- The same elements in another shape; an error where that takes a copy.
-- @function view
-- @usage print(gru.ones(2, 3):view(3, -1))
-- @tparam tensor x
-- @param ... sizes, integers or one table; one may be -1: what is left
-- @treturn tensor a view

--- The same elements in another shape.
-- @function reshape
-- @tparam tensor x
-- @param ... sizes, integers or one table; one may be -1: what is left
-- @treturn tensor a view where one is possible, else a copy

--- The dims in another order.
-- @function permute
-- @usage print(gru.ones(2, 3, 4):permute(3, 1, 2).shape[1])
-- @tparam tensor x
-- @param ... all dims, integers or one table
-- @treturn tensor a view

--- Swaps two dims.
-- @function transpose
-- @tparam tensor x
-- @tparam integer first
-- @tparam integer second
-- @treturn tensor a view

--- A part of a dim.
-- @function narrow
-- @tparam tensor x
-- @tparam integer dim
-- @tparam integer start a position, from 1 on or from the end
-- @tparam integer length
-- @treturn tensor a view

--- One position of a dim, which goes.
-- @function select
-- @tparam tensor x
-- @tparam integer dim
-- @tparam integer position from 1 on, or from the end
-- @treturn tensor a view

--- Takes out dims of size 1; dims of other sizes stay.
-- @function squeeze
-- @tparam tensor x
-- @tparam[opt] integer|table dim all without it
-- @treturn tensor a view

--- Puts in a dim of size 1.
-- @function unsqueeze
-- @tparam tensor x
-- @tparam integer dim where it will be
-- @treturn tensor a view

--- Repeats dims of size 1, without a copy; more sizes than dims add dims in front.
-- @function expand
-- @tparam tensor x
-- @param ... sizes, integers or one table; -1 keeps one
-- @treturn tensor a view, several elements of which may be one in memory

--- Joins tensors along a dim; all other sizes must agree.
-- @function cat
-- @usage print(gru.cat({gru.ones(2, 3), gru.zeros(1, 3)}, 1))
-- @tparam table tensors
-- @tparam[opt=1] integer dim
-- @treturn tensor

--- Joins tensors of one shape along a new dim.
-- @function stack
-- @tparam table tensors
-- @tparam[opt=1] integer dim where it will be
-- @treturn tensor

--- A contiguous copy, which gradients pass.
-- @function clone
-- @tparam tensor x
-- @treturn tensor

--- x itself where it is contiguous, else a copy.
-- @function contiguous
-- @tparam tensor x
-- @treturn tensor

--- Positions
-- @section positions

--- Slices of a dim by ids.
-- @function index_select
-- @tparam tensor x
-- @tparam integer dim
-- @tparam tensor ids int64, from 1 on; an id outside raises an error that names it, (n)
-- @treturn tensor n slices along the dim

--- x with slices of source added at the ids along a dim.
-- @function index_add
-- @tparam tensor x
-- @tparam integer dim
-- @tparam tensor ids int64, from 1 on; an id outside raises an error that names it, (n)
-- @tparam tensor source the shape of x, but n along the dim; the dtype of x
-- @treturn tensor

--- Along a dim, the elements that ids name: for dim 1, y[i][j] = x[ids[i][j]][j].
-- @function gather
-- @tparam tensor x
-- @tparam integer dim
-- @tparam tensor ids int64 from 1 on, as many dims as x, its sizes no larger but along the dim
-- @treturn tensor of the shape of ids

--- The positions of the elements that are not 0, in order.  No gradient.
-- @function nonzero
-- @tparam tensor x
-- @treturn tensor int64 (how many, dims), from 1 on

--- Rows of a matrix by ids, in the shape of the ids; `nn.Embedding` is the layer.
-- @function embedding
-- @tparam tensor weight (V, E)
-- @tparam tensor ids int64, from 1 to V; an id outside raises an error that names it
-- @treturn tensor (shape of ids, E)
