"""Linear and integer programs, built column by column and solved by HiGHS on one thread.

One thread and limits in counts, never in time: the same program gives the same answer each time.
"""

from typing import Any, Final

import highspy
import numpy as np
from highspy._core import _Highs

from provisioner.core.optimal.shelf import Floats, Ints

INFINITE: Final = highspy.kHighsInf


class Program:
    """Minimise cost . x with lower <= A x <= upper and 0 <= x <= most."""

    def __init__(self) -> None:
        # Not its wrapper `Highs`: that one prints a banner on stdout before it can be told not to.
        self._solver: Any = _Highs()
        self._solver.setOptionValue("output_flag", False)  # noqa: FBT003 (the name of the option stands before it)
        self._solver.setOptionValue("threads", 1)
        self.rows = 0
        self.columns = 0
        self.value = 0.0
        self.amounts: Floats = np.zeros(0)
        self.duals: Floats = np.zeros(0)

    def add_rows(self, lower: Floats, upper: Floats) -> Ints:
        """Add rows without columns yet; returns their places."""
        empty = np.zeros(0, dtype=np.int32)
        self._solver.addRows(len(lower), lower, upper, 0, empty, empty, np.zeros(0))
        self.rows += len(lower)
        return np.arange(self.rows - len(lower), self.rows)

    def add_columns(self, cost: Floats, most: Floats, matrix: Floats, rows: Ints) -> Ints:
        """Add columns with (columns, rows given) coefficients; returns their places."""
        column, place = np.nonzero(matrix)
        starts = np.searchsorted(column, np.arange(len(cost))).astype(np.int32)
        index = rows[place].astype(np.int32)
        values = matrix[column, place].astype(np.float64)
        self._solver.addCols(len(cost), cost, np.zeros(len(cost)), most, len(column), starts, index, values)
        self.columns += len(cost)
        return np.arange(self.columns - len(cost), self.columns)

    def bound_rows(self, rows: Ints, lower: Floats, upper: Floats) -> None:
        """Change the limits of rows."""
        self._solver.changeRowsBounds(len(rows), rows.astype(np.int32), lower, upper)

    def bound_columns(self, most: Floats) -> None:
        """Change the upper limits of all columns."""
        places = np.arange(self.columns, dtype=np.int32)
        self._solver.changeColsBounds(self.columns, places, np.zeros(self.columns), most)

    def cost(self, cost: Floats) -> None:
        """Change the costs of all columns."""
        self._solver.changeColsCost(self.columns, np.arange(self.columns, dtype=np.int32), cost)

    def cost_of(self, column: int, cost: float) -> None:
        """Change the cost of one column."""
        self._solver.changeColCost(column, cost)

    def solve(self) -> bool:
        """Solve from where the last solve ended; says whether an optimum was found."""
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return False
        self._read()
        return True

    def solve_whole(self, most_nodes: int) -> tuple[bool, float]:
        """Solve in whole numbers; says whether an answer was found, and a bound below every answer."""
        kinds = np.full(self.columns, highspy.HighsVarType.kInteger)
        self._solver.changeColsIntegrality(self.columns, np.arange(self.columns, dtype=np.int32), kinds)
        self._solver.setOptionValue("mip_max_nodes", most_nodes)
        self._solver.setOptionValue("mip_rel_gap", 0.0)
        self._solver.setOptionValue("mip_abs_gap", 1e-9)
        self._solver.run()
        info = self._solver.getInfo()
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return False, 0.0
        self._read()
        return True, float(info.mip_dual_bound)

    def _read(self) -> None:
        solution = self._solver.getSolution()
        self.value = float(self._solver.getInfo().objective_function_value)
        self.amounts = np.maximum(np.array(solution.col_value), 0)
        self.duals = np.array(solution.row_dual)
