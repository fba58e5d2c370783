#include "operators/checks/units_table.h"

namespace atelier::operators {

std::span<const UnitEntry> HanUnits() {
  static constexpr UnitEntry kUnits[] = {
      {"毫克", "mass", 1e-3}, {"千克", "mass", 1e3}, {"公斤", "mass", 1e3}, {"克", "mass", 1}, {"市斤", "mass", 500},
      {"斤", "mass", 500}, {"吨", "mass", 1e6}, {"磅", "mass", 453.592}, {"盎司", "mass", 28.3495}, {"克拉", "carat", 1},
      {"毫升", "volume", 1}, {"公升", "volume", 1e3}, {"升", "volume", 1e3},
      {"毫米", "length", 1}, {"厘米", "length", 10}, {"公分", "length", 10}, {"公里", "length", 1e6},
      {"千米", "length", 1e6}, {"米", "length", 1e3}, {"英寸", "length", 25.4}, {"寸", "inch", 1}, {"微米", "length", 1e-3},
      {"平方米", "area", 1}, {"平米", "area", 1}, {"亩", "mu", 1},
      {"小时", "time", 3600}, {"个钟", "time", 3600}, {"分钟", "time", 60}, {"秒钟", "time", 1}, {"秒", "time", 1},
      {"天", "time", 86400}, {"日", "time", 86400}, {"周", "time", 604800}, {"星期", "time", 604800}, {"夜", "night", 1},
      {"晚", "night", 1}, {"个月", "month", 1}, {"年", "month", 12}, {"月", "date", 1}, {"号", "date", 1}, {"岁", "age", 1},
      {"元", "price", 1}, {"块钱", "price", 1}, {"人民币", "price", 1}, {"美元", "usd", 1}, {"角", "price", 0.1},
      {"折", "discount", 1}, {"倍", "times", 1}, {"成", "percent", 10},
      {"摄氏度", "celsius", 1}, {"度电", "kwh", 1}, {"度", "degree", 1}, {"瓦", "power", 1}, {"千瓦", "power", 1e3},
      {"伏", "voltage", 1}, {"毫安时", "charge", 1}, {"毫安", "charge", 1}, {"赫兹", "hertz", 1}, {"分贝", "decibel", 1},
      {"像素", "pixel", 1}, {"码", "size", 1}, {"勒克斯", "lux", 1}, {"流明", "lumen", 1}};
  return kUnits;
}

std::span<const UnitEntry> LatinUnits() {
  static constexpr UnitEntry kUnits[] = {
      {"mg", "mass", 1e-3}, {"g", "mass", 1}, {"gram", "mass", 1}, {"grams", "mass", 1}, {"kg", "mass", 1e3},
      {"kilo", "mass", 1e3}, {"kilos", "mass", 1e3}, {"kilogram", "mass", 1e3}, {"kilograms", "mass", 1e3},
      {"oz", "mass", 28.3495}, {"ounce", "mass", 28.3495}, {"ounces", "mass", 28.3495}, {"lb", "mass", 453.592},
      {"lbs", "mass", 453.592}, {"pound", "mass", 453.592}, {"pounds", "mass", 453.592}, {"ton", "mass", 1e6},
      {"tons", "mass", 1e6}, {"tonnes", "mass", 1e6}, {"ml", "volume", 1}, {"millilitre", "volume", 1},
      {"millilitres", "volume", 1}, {"milliliter", "volume", 1}, {"milliliters", "volume", 1}, {"cl", "volume", 10},
      {"l", "volume", 1e3}, {"litre", "volume", 1e3}, {"litres", "volume", 1e3}, {"liter", "volume", 1e3},
      {"liters", "volume", 1e3}, {"gallon", "gallon", 1}, {"gallons", "gallon", 1}, {"pint", "pint", 1},
      {"pints", "pint", 1}, {"cup", "cup", 1}, {"cups", "cup", 1}, {"mm", "length", 1}, {"cm", "length", 10},
      {"m", "length", 1e3}, {"meter", "length", 1e3}, {"meters", "length", 1e3}, {"metre", "length", 1e3},
      {"metres", "length", 1e3}, {"km", "length", 1e6}, {"kilometer", "length", 1e6}, {"kilometers", "length", 1e6},
      {"kilometre", "length", 1e6}, {"kilometres", "length", 1e6}, {"mile", "length", 1609344},
      {"miles", "length", 1609344}, {"inch", "length", 25.4}, {"inches", "length", 25.4}, {"foot", "length", 304.8},
      {"feet", "length", 304.8}, {"ft", "length", 304.8}, {"yard", "length", 914.4}, {"yards", "length", 914.4},
      {"sqm", "area", 1}, {"acre", "acre", 1}, {"acres", "acre", 1}, {"h", "time", 3600}, {"hr", "time", 3600},
      {"hrs", "time", 3600}, {"hour", "time", 3600}, {"hours", "time", 3600}, {"min", "time", 60}, {"mins", "time", 60},
      {"minute", "time", 60}, {"minutes", "time", 60}, {"sec", "time", 1}, {"second", "time", 1}, {"seconds", "time", 1},
      {"s", "time", 1}, {"day", "time", 86400}, {"days", "time", 86400}, {"week", "time", 604800},
      {"weeks", "time", 604800}, {"night", "night", 1}, {"nights", "night", 1}, {"month", "month", 1},
      {"months", "month", 1}, {"year", "month", 12}, {"years", "month", 12}, {"yr", "month", 12}, {"decade", "month", 120},
      {"decades", "month", 120}, {"dollar", "usd", 1}, {"dollars", "usd", 1}, {"usd", "usd", 1}, {"bucks", "usd", 1},
      {"cents", "usd", 0.01}, {"euro", "euro", 1}, {"euros", "euro", 1}, {"yuan", "price", 1}, {"rmb", "price", 1},
      {"cny", "price", 1}, {"percent", "percent", 1}, {"w", "power", 1}, {"watt", "power", 1}, {"watts", "power", 1},
      {"kw", "power", 1e3}, {"v", "voltage", 1}, {"volt", "voltage", 1}, {"volts", "voltage", 1}, {"mah", "charge", 1},
      {"hz", "hertz", 1}, {"db", "decibel", 1}, {"mb", "bytes", 1e6}, {"gb", "bytes", 1e9}, {"tb", "bytes", 1e12},
      {"degree", "degree", 1}, {"degrees", "degree", 1}, {"lumens", "lumen", 1}, {"lumen", "lumen", 1},
      {"lux", "lux", 1}, {"k", "kilo", 1}, {"carat", "carat", 1}, {"carats", "carat", 1}, {"times", "times", 1},
      {"x", "times", 1}};
  return kUnits;
}

std::span<const std::string_view> HanCounters() {
  static constexpr std::string_view kCounters[] = {
      "个", "只", "件", "种", "款", "片", "支", "枝", "包", "盒", "袋", "瓶", "罐", "杯", "碗", "盘", "张", "本", "册", "页",
      "双", "对", "副", "套", "台", "把", "条", "根", "块", "颗", "粒", "枚", "层", "次", "遍", "人", "位", "名", "节", "课",
      "堂", "格", "档", "挡", "段", "步", "口", "道", "间", "户", "头", "匹", "朵", "束", "串", "项", "孔", "芯", "轮", "期",
      "场", "色", "味", "面", "代", "只装", "件套", "餐", "样", "卷", "桶", "听", "扇", "座", "辆", "株", "盆", "组", "合"};
  return kCounters;
}

}  // namespace atelier::operators
