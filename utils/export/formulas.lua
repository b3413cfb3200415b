-- One TeX formula in, Typst maths out. What pandoc 3.9 refuses, or turns into something that Typst 0.15 sets wrongly, is
-- rewritten before it (`before`) or after it (`after`). tests/utils/export/formulas.json holds what each kind becomes.

local formulas = {}

-- Lua patterns know no word boundary, but %f[%A] is "no letter from here on": \bf must not match \bfseries.
local function word(name) return "\\" .. name .. "%f[%A]" end

local function rewrite(text, rules)
  for _, rule in ipairs(rules) do text = text:gsub(rule[1], rule[2]) end
  return text
end

local SWITCHES = { bf = "mathbf", rm = "mathrm", cal = "mathcal", it = "mathit", sf = "mathsf", tt = "mathtt" }

-- {\bf x} and the bare \bf x are old switches; pandoc knows only the commands that take an argument.
local function without_switches(tex)
  for switch, command in pairs(SWITCHES) do
    tex = rewrite(tex, {
      { "{%s*" .. word(switch) .. "%s*", "\\" .. command .. "{" },
      { word(switch) .. "%s*{", "\\" .. command .. "{" },
      { word(switch) .. "%s*(%a)", "\\" .. command .. "{%1}" },
    })
  end
  return tex
end

-- Sizes follow from the formula, colours would not survive a black and white print, numbers are printed by the template.
local DECORATION = {
  { "\\label%s*%b{}", "" }, { "\\tag%*?%s*%b{}", "" }, { word("nonumber"), "" }, { word("notag"), "" },
  { "\\eqref%s*{(.-)}", "\\text{(%1)}" }, { "\\ref%s*{(.-)}", "\\text{%1}" },
  { "\\textcolor%s*%b[]", "\\textcolor" }, { "\\textcolor%s*%b{}%s*(%b{})", "%1" },
  { "\\colorbox%s*%b{}%s*(%b{})", "\\text%1" }, { "\\color%s*%b{}", "" }, { "\\require%s*%b{}", "" },
  { "\\[sn][mo][ar][lm][la]l?size%f[%A]", "" }, { "\\[lL]arge%f[%A]", "" }, { word("LARGE"), "" }, { "\\[hH]uge%f[%A]", "" },
  { word("small"), "" }, { word("tiny"), "" }, { word("scriptsize"), "" }, { word("footnotesize"), "" },
  { "\\math[lrc]lap%s*(%b{})", "%1" }, { "\\[lrc]lap%s*(%b{})", "%1" }, { "\\smash%s*(%b{})", "%1" },
  { "\\vphantom%s*%b{}", "" }, { "\\hphantom%f[%A]", "\\phantom" }, { "\\vspace%s*%b{}", "" },
  { word("hline"), "" }, { "\\cline%s*%b{}", "" }, { "\\class%s*%b{}%s*(%b{})", "%1" }, { "\\href%s*%b{}%s*(%b{})", "%1" },
}

local SYNONYMS = {
  { word("arg") .. "%s*\\(m[axin][axin])%f[%A]", "\\operatorname*{arg\\,%1}" },
  { "\\arg(m[axin][axin])%f[%A]", "\\operatorname*{arg\\,%1}" },
  { "\\mathop%s*{%s*\\text%s*(%b{})%s*}", "\\operatorname*%1" }, { "\\mathop%s*{%s*\\mathrm%s*(%b{})%s*}", "\\operatorname*%1" },
  { "\\limits%f[%A]", "" }, { "\\nolimits%f[%A]", "" },
  { word("nicefrac"), "\\frac" }, { word("sfrac"), "\\frac" }, { word("cfrac"), "\\dfrac" },
  { word("dbinom"), "\\binom" }, { word("tbinom"), "\\binom" }, { word("mathnormal"), "\\mathit" }, { word("hbox"), "\\text" },
  { "\\[bB]igg?[lmr]?%s*\\|", "\\Vert " }, { "\\[bB]igg?[lmr]?%s*(\\[lr]?Vert)", "%1" }, { "\\|", "\\Vert " },
  { "\\middle%s*/", "/" },
  { "(\\begin{%a+%*?})%s*%[[tbc]%]", "%1" },
}

-- pandoc keeps \underset and \overset only for operators. Braces survive as calls, so they carry the others through, with
-- an empty \text as their mark; \left. x \right| travels as a norm that closes with a single bar. `after` renames both.
local DISGUISES = {
  { "\\underset%s*(%b{})%s*{", "\\underbrace%1{" }, { "\\overset%s*(%b{})%s*{", "\\overbrace%1{" },
  { "\\underbrace(%b{})(%b{})", "\\underbrace{\\text{}%2}_%1" }, { "\\overbrace(%b{})(%b{})", "\\overbrace{\\text{}%2}^%1" },
  { "\\left%.(.-)\\right%s*|", function(body)
    if not body:find("\\right") then return "\\left\\Vert " .. body .. "\\right|" end
  end },
}

-- TeX leaves one em between the columns of an array, Typst nothing; \left( and \left[ make it a `mat`, which has a gap.
local function with_gaps(tex)
  for _, environment in ipairs { "array", "matrix", "cases" } do
    local pattern = "()(\\begin{" .. environment .. "})(.-)(\\end{" .. environment .. "})"
    tex = tex:gsub(pattern, function(position, open, body, close)
      if tex:sub(1, position - 1):find("\\left%s*[%(%[|]%s*$") then return end
      return open .. body:gsub("([^\\])&", "%1&\\quad ") .. close
    end)
  end
  return tex
end

local function before(tex)
  tex = tex:gsub("%s*\n%s*\n%s*", "\n")
  tex = rewrite(without_switches(rewrite(tex, DECORATION)), SYNONYMS)
  tex = with_gaps(rewrite(tex, DISGUISES))
  return (tex:gsub("(\\hspace%s*){(%-?[%d.]+)%s*mm}", function(command, mm) return command .. "{" .. mm / 10 .. "cm}" end))
end

-- Symbols that pandoc 3.9 names as Typst did before 0.15: a few by name, the rest by their changed parts.
local RENAMED = {
  ["dash.circle"] = "⊝", ["eq.circle"] = "⊜", ["parallel.circle"] = "⦷", ["bar.v.circle"] = "⦶", ["perp.circle"] = "⦹",
  ["backslash.circle"] = "⦸", ["bracket.l.double"] = "⟦", ["bracket.r.double"] = "⟧", ["paren.l.double"] = "⦅",
  ["paren.r.double"] = "⦆", ["brace.l.double"] = "⦃", ["brace.r.double"] = "⦄", ["tack.r.double"] = "⊨",
  ["tack.r.double.not"] = "⊭", ["tack.t.double"] = "⫫", ["square.stroked.tiny"] = "square.stroked",
}

local function modern(name)
  if RENAMED[name] then return RENAMED[name] end
  return rewrite(name, {
    { "^sect%f[%A]", "inter" }, { "^integral%.sect", "integral.inter" },
    { "^(%a+)%.circle", "%1.o" }, { "^([lg]t)%.tri%f[%W]", "%1.closed" },
  })
end

local SPACES = {
  { "#h%(%-1em%)", "#h(-0.167em)" },             -- \! is a sixth of an em
  { "#h%(0em%)", "thick" },                      -- \; is 5/18 em
  { "\\|", 'class("normal", |)' },               -- | and \| are ordinary in TeX, relations with space around in Typst
  { "bar%.v%.double", 'class("normal", ‖)' },
}

-- Norms stretch only as the first and last thing in lr(); a norm closed by a single bar is the disguise of \left. \right|.
local function with_fences(typ)
  return (typ:gsub("∥(.-)∥", "lr(‖%1‖)"):gsub("lr(%b())", function(inside)
    inside = with_fences(inside:sub(2, -2))
    if inside:find("^bar%.v%.double .*[^\\]|$") then return "lr(" .. inside:gsub("^bar%.v%.double ", "") .. ")" end
    return "lr(" .. inside:gsub("^bar%.v%.double", "‖"):gsub("bar%.v%.double$", "‖") .. ")"
  end):gsub("mid%(bar%.v%.double%)", "mid(‖)"))
end

-- \big( scaled as text would lose its class and its axis; stretch() keeps both.
local function with_sizes(typ)
  local function stretched(size, delimiter)
    if delimiter:find("^[%(%)%[%]{}]$") then delimiter = "\\" .. delimiter end
    local call = "stretch(" .. delimiter .. ", size: #" .. size .. ")"
    return delimiter == "|" and 'class("normal", ' .. call .. ")" or call
  end
  local scale = "#scale%(x: (%d+%%), y: %d+%%%)%[\\?"
  return (typ:gsub(scale .. "(%])%]", stretched):gsub(scale .. "([^%]]+)%]", stretched))
end

-- An operator's name is the only string that stands on its own: "Tr" (\Sigma) needs an operator's spacing and limits.
local STYLED = { upright = true, bold = true, italic = true, mono = true, sans = true, serif = true, bb = true, cal = true, frak = true, class = true }

local function with_operators(typ, starred)
  local limits = starred and ", limits: #true)" or ")"
  return ((typ .. '""'):gsub('([^"]*)("[^"]*")', function(outside, name)
    local fixed = rewrite(outside, SPACES):gsub("%a[%a.]*%a", modern)
    local styled = STYLED[outside:match("(%a+)%($") or ""] or outside:find("delim: $") or name == '""'
    return fixed .. (styled and name or 'op(' .. name .. limits)
  end):sub(1, -3))
end

local function after(typ, tex, display)
  typ = typ:gsub('delim: "||"', tex:find("Vmatrix", 1, true) and 'delim: "‖"' or 'delim: "|"')
  typ = typ:gsub('%(upright%(""%) ', "(\2"):gsub("underbrace%(\2", "under("):gsub("overbrace%(\2", "over(")
  typ = with_sizes(with_fences(typ)):gsub('\\"', "\1")                    -- a quotation mark inside a string must not end it
  typ = with_operators(typ, tex:find("operatorname*", 1, true)):gsub("\1", '\\"')
  if tex:find("\\x[rl][ie][gf]h?tarrow") then typ = typ:gsub("(arrow%.[lr])([_^])", "stretch(%1)%2") end
  if not display and tex:find("^%s*\\displaystyle") then typ = "$display(" .. typ:sub(2, -2) .. ")$" end
  return typ
end

-- Macros that one cell defines hold in all cells, as they do in the notebook: pandoc's LaTeX reader expands them.
local function expand(tex, macros)
  if macros == "" then return tex end
  local expanded = tex
  pandoc.read(macros .. "\n\n$" .. tex .. "$", "latex+latex_macros", nil, {}):walk { Math = function(math) expanded = math.text end }
  return expanded
end

--- formula: { tex, display }; macros: the definitions of the whole notebook as one string.
--- Returns { typ, tag } where tag is the equation's number or nil, or { problem }.
function formulas.convert(formula, macros)
  local ok, result = pcall(function()
    local tex = before(expand(formula.tex, macros))
    local math = pandoc.Math(formula.display and "DisplayMath" or "InlineMath", tex)
    local typ = pandoc.write(pandoc.Pandoc { pandoc.Plain { math } }, "typst", { wrap_text = "none" })
    if typ:sub(1, 1) ~= "$" then error("it is not TeX that this converter knows", 0) end   -- a refusal comes back as \$x\$
    return after(typ, tex, formula.display)
  end)
  if not ok then return { problem = tostring(result) } end
  return { typ = result, tag = formula.tex:match("\\tag%*?%s*{(.-)}") }
end

return formulas
